package main

import (
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSecurityTable holds SECURITY.md against the tests: each test of an attack is in the table, at the attack whose
// number it carries, and each name in the table is a test that there is.
func TestSecurityTable(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	number, name := regexp.MustCompile(`^S\d\d(?:(?:, |–)S\d\d)*$`), regexp.MustCompile("`(Test\\w+)`")
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !number.MatchString(strings.TrimSpace(cells[1])) {
			continue
		}
		names := name.FindAllStringSubmatch(cells[3], -1)
		if len(names) == 0 {
			t.Errorf("%s has no test", strings.TrimSpace(cells[1]))
		}
		for _, m := range names {
			listed[m[1]] = true
			if n := m[1][len("Test"):min(len(m[1]), len("TestSnn"))]; !slices.Contains(numbered(cells[1]), n) {
				t.Errorf("%s is listed at %s", m[1], strings.TrimSpace(cells[1]))
			}
		}
	}
	there, attack := map[string]bool{}, regexp.MustCompile(`^TestS\d\d[A-Z]`)
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && attack.MatchString(f.Name.Name) {
				there[f.Name.Name] = true
				if !listed[f.Name.Name] {
					t.Errorf("%s is not in the table of SECURITY.md", s.at(f)+" "+f.Name.Name)
				}
			}
		}
	}
	if len(there) < 40 {
		t.Fatalf("found %d tests of attacks: this test looks in the wrong place", len(there))
	}
	for n := range listed {
		if !there[n] {
			t.Errorf("SECURITY.md lists %s, which is no test", n)
		}
	}
}

// numbered lists the attacks of a cell: "S50–S52, S54" is four of them.
func numbered(cell string) (list []string) {
	for part := range strings.SplitSeq(strings.TrimSpace(cell), ", ") {
		first, last, isRange := strings.Cut(part, "–")
		if !isRange {
			last = first
		}
		var from, to int
		if _, err := fmt.Sscanf(first+" "+last, "S%d S%d", &from, &to); err != nil {
			return nil
		}
		for n := from; n <= to; n++ {
			list = append(list, fmt.Sprintf("S%02d", n))
		}
	}
	return list
}
