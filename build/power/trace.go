package power

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Call is one system call of a traced process.
type Call struct {
	Name   string
	File   string // that the first descriptor is of; of an open, that the new one is of
	Paths  []string
	Data   []byte // what was written, of a write
	Num    []int64
	Flags  string // the other arguments, as the tracer writes them
	Result int64  // -1: refused, or cut
	Struck bool   // the tracer made it fail, on purpose
	Cut    bool   // its process ended first: it may have been done or not

	Begin, End int // lines of the trace: of the call and of its return
}

// calls are what is traced: all by which a Go program or SQLite changes a file, and all
// by which the server can speak to somebody.
const calls = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendfile,copy_file_range," +
	"fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate," +
	"open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat"

// maxBytes is how much of each buffer the tracer writes: more than a page of the database,
// and more than an answer to a send.
const maxBytes = 64 << 10

// Strace is the command that traces what is run under it into file, after what is there already.
// The traced process stays a child of who started it; its end ends the tracer. inject are
// faults in strace's own words, such as "fsync:error=EIO:when=3".
func Strace(file string, inject ...string) []string {
	args := []string{"strace", "--daemonize", "--follow-forks", "--seccomp-bpf", "--decode-fds=path", "--output-append-mode",
		"--string-limit", strconv.Itoa(maxBytes), "--signal=kill", "--trace=" + calls, "--output=" + file}
	for _, f := range inject {
		args = append(args, "--inject="+f)
	}
	return args
}

// ReadTrace reads what strace wrote.
func ReadTrace(r io.Reader) ([]Call, error) {
	var all []Call
	open := map[string]string{} // of each thread: the beginning of a call that goes on
	at := map[string]int{}
	alive := map[string]bool{}
	in := bufio.NewReaderSize(r, 1<<20)
	for line := 0; ; line++ {
		text, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		thread, text, _ := strings.Cut(strings.TrimRight(text, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		begin := line
		alive[thread] = true
		if strings.HasPrefix(text, "+++") { // the thread has ended
			delete(alive, thread)
			if head, ok := open[thread]; ok {
				c, err := parseCall(head + ") = ?")
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", at[thread]+1, err)
				}
				c.Begin, c.End = at[thread], line
				all = append(all, c)
				delete(open, thread)
			}
			continue
		}
		if strings.HasPrefix(text, "---") {
			continue
		}
		if head, ok := strings.CutSuffix(text, "<unfinished ...>"); ok {
			open[thread], at[thread] = strings.TrimRight(head, " "), line
			continue
		}
		if strings.HasPrefix(text, "<... ") {
			_, rest, ok := strings.Cut(text, " resumed>")
			head, had := open[thread]
			if !ok || !had {
				return nil, fmt.Errorf("line %d: a call goes on that never began: %.80q", line+1, text)
			}
			text, begin = head+rest, at[thread]
			delete(open, thread)
		}
		c, err := parseCall(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %.80q", line+1, err, text)
		}
		c.Begin, c.End = begin, line
		all = append(all, c)
	}
	if len(alive) > 0 {
		return nil, fmt.Errorf("the trace breaks off: %d threads have no end", len(alive))
	}
	sortByBegin(all)
	return all, nil
}

// parseCall reads one call: name(arguments) = result.
func parseCall(text string) (Call, error) {
	name, rest, ok := strings.Cut(text, "(")
	if !ok || name == "" {
		return Call{}, errors.New("this is not a call")
	}
	c := Call{Name: name, Result: -1}
	writes := strings.Contains(name, "write") || strings.HasPrefix(name, "send")
	var flags strings.Builder
	for depth := 1; depth > 0; {
		if rest == "" {
			return c, errors.New("the arguments do not end")
		}
		switch ch := rest[0]; {
		case ch == '(' || ch == '[' || ch == '{':
			depth++
			rest = rest[1:]
		case ch == ')' || ch == ']' || ch == '}':
			depth--
			rest = rest[1:]
		case ch == '"':
			s, n, err := unquote(rest)
			if err != nil {
				return c, err
			}
			if rest = rest[n:]; strings.HasPrefix(rest, "...") {
				return c, errors.New("the tracer left out a part of what was written")
			}
			if writes {
				c.Data = append(c.Data, s...)
			} else {
				c.Paths = append(c.Paths, string(s))
			}
		case ch == '<': // what the descriptor before is of
			path, after, ok := strings.Cut(rest[1:], ">")
			if !ok {
				return c, errors.New("a path does not end")
			}
			if c.File == "" && len(c.Num) > 0 {
				c.File = path
			}
			rest = after
		case ch >= '0' && ch <= '9':
			n := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
			v, err := strconv.ParseInt(rest[:max(n, 1)], 10, 64)
			if err != nil {
				return c, err
			}
			c.Num = append(c.Num, v)
			rest = rest[max(n, 1):]
		case ch == ' ' || ch == ',':
			rest = rest[1:]
		default: // a word such as AT_FDCWD or O_RDWR|O_CREAT
			n := strings.IndexAny(rest, " ,<>()[]{}\"")
			if n <= 0 {
				n = 1
			}
			flags.WriteString(rest[:n] + " ")
			rest = rest[n:]
		}
	}
	c.Flags = flags.String()
	_, result, ok := strings.Cut(rest, "= ")
	if !ok {
		return c, errors.New("the call has no result")
	}
	c.Struck = strings.Contains(result, "(INJECTED")
	number, of, opened := strings.Cut(result, "<")
	number, _, _ = strings.Cut(number, " ")
	if v, err := strconv.ParseInt(number, 10, 64); err == nil {
		c.Result = v
	} else if c.Cut = number == "?"; !c.Cut {
		return c, fmt.Errorf("the result %.20q is not a number", result)
	}
	if opened && c.Result >= 0 {
		c.File, _, _ = strings.Cut(of, ">")
	}
	return c, nil
}

// unquote reads a string as C writes it, and returns how long it is in the text.
func unquote(text string) ([]byte, int, error) {
	var b bytes.Buffer
	for i := 1; i < len(text); i++ {
		switch ch := text[i]; ch {
		case '"':
			return b.Bytes(), i + 1, nil
		case '\\':
			i++
			if i == len(text) {
				return nil, 0, errors.New("a string does not end")
			}
			if plain := strings.IndexByte(`ntrvf"\`, text[i]); plain >= 0 {
				b.WriteByte("\n\t\r\v\f\"\\"[plain])
				continue
			}
			n := 0
			for n < 3 && i+n < len(text) && text[i+n] >= '0' && text[i+n] <= '7' {
				n++
			}
			v, err := strconv.ParseUint(text[i:i+n], 8, 8)
			if err != nil {
				return nil, 0, fmt.Errorf("a string has the escape %.4q: %w", text[i-1:], err)
			}
			b.WriteByte(byte(v))
			i += n - 1
		default:
			b.WriteByte(ch)
		}
	}
	return nil, 0, errors.New("a string does not end")
}
