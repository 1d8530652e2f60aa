package text

import (
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Parse returns the tree of a message. It never fails: what is not Markdown is
// text, and what would cost too much to understand is shown as it was typed.
func Parse(md string) []Node {
	md = strings.ToValidUTF8(md, "\uFFFD")
	md = strings.ReplaceAll(md, "\r\n", "\n")
	if len(md) > MaxBytes || costly(md) {
		return asTyped(md)
	}
	return parse(markdown(), md)
}

func parse(p parser.Parser, md string) (nodes []Node) {
	defer func() {
		// A fault of the parser costs a message its marks, and nothing else: the message comes again with every
		// start, and would end the program each time.
		if recover() != nil {
			nodes = []Node{{Kind: Paragraph, Kids: []Node{{Text: md}}}}
		}
	}()
	src := []byte(md)
	doc := p.Parse(gtext.NewReader(src))
	c := converter{src: src, left: MaxNodes}
	nodes = c.blocks(doc, 0)
	if c.left < 0 {
		return asTyped(md)
	}
	return nodes
}

// markdown is the one parser; it holds nothing of what it parses.
var markdown = sync.OnceValue(newParser)

// newParser leaves out what a chat does not want: HTML blocks and raw HTML (so that
// tags are text), indented code, underlined headings, and link references
// (which would swallow their line).
func newParser() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(paragraphParser{parser.NewParagraphParser()}, 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(strikeParser{}, 450),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
	)
}

func asTyped(md string) []Node {
	md = strings.TrimRight(md, "\n")
	if strings.Count(md, "://") > maxLinks {
		return []Node{{Kind: Paragraph, Kids: []Node{{Text: md}}}}
	}
	return []Node{{Kind: Paragraph, Kids: linkify(md)}}
}

// A converter walks goldmark's tree into ours and counts what it makes.
type converter struct {
	src  []byte
	left int // nodes that may still be made; below 0 the message is shown as typed
}

func (c *converter) blocks(parent ast.Node, depth int) []Node {
	if depth >= MaxDepth {
		c.left = -1
	}
	var out []Node
	for n := parent.FirstChild(); n != nil && c.left >= 0; n = n.NextSibling() {
		c.left--
		switch n := n.(type) {
		case *ast.Heading:
			out = append(out, Node{Kind: Heading, Level: n.Level, Kids: c.inlines(n, depth+1)})
		case *ast.ThematicBreak:
			out = append(out, Node{Kind: Rule})
		case *ast.Blockquote:
			out = append(out, Node{Kind: Quote, Kids: c.blocks(n, depth+1)})
		case *ast.List:
			l := Node{Kind: List, Kids: c.blocks(n, depth+1)}
			if n.IsOrdered() {
				l.Level = max(1, n.Start)
			}
			out = append(out, l)
		case *ast.ListItem:
			out = append(out, Node{Kind: Item, Kids: c.blocks(n, depth+1)})
		case *ast.FencedCodeBlock:
			out = append(out, c.code(n))
		default: // a paragraph, or the text of a tight list's item
			if kids := c.inlines(n, depth+1); len(kids) > 0 {
				out = append(out, Node{Kind: Paragraph, Kids: kids})
			}
		}
	}
	return out
}

// code makes a block of code. What stands after the fence is the language if it looks like
// the name of one, and otherwise the first line.
func (c *converter) code(n *ast.FencedCodeBlock) Node {
	out := Node{Kind: CodeBlock, Text: strings.TrimSuffix(string(n.Lines().Value(c.src)), "\n")}
	if n.Info == nil {
		return out
	}
	info := string(n.Info.Segment.Value(c.src))
	if isLang(info) {
		out.Lang = info
	} else {
		out.Text = strings.TrimSuffix(info+"\n"+out.Text, "\n")
	}
	return out
}

func isLang(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+#.-_", r)) {
			return false
		}
	}
	return len(s) <= 24
}

func (c *converter) inlines(parent ast.Node, depth int) []Node {
	var out []Node
	for n := parent.FirstChild(); n != nil && c.left >= 0; n = n.NextSibling() {
		c.left--
		if depth >= MaxDepth {
			c.left = -1
			break
		}
		switch n := n.(type) {
		case *ast.Text:
			s := string(util.UnescapePunctuations(n.Segment.Value(c.src)))
			if n.SoftLineBreak() || n.HardLineBreak() {
				s += "\n"
			}
			out = appendText(out, s)
		case *ast.String:
			out = appendText(out, string(n.Value))
		case *ast.CodeSpan:
			out = append(out, Node{Kind: Code, Text: c.codeText(n)})
		case *ast.Emphasis:
			kind := Emphasis
			if n.Level == 2 {
				kind = Strong
			}
			out = append(out, Node{Kind: kind, Kids: c.inlines(n, depth+1)})
		case *strike:
			out = append(out, Node{Kind: Strike, Kids: c.inlines(n, depth+1)})
		case *ast.AutoLink:
			href := string(n.URL(c.src))
			if n.AutoLinkType == ast.AutoLinkEmail {
				href = "mailto:" + href
			}
			out = c.link(out, href, []Node{{Text: string(n.Label(c.src))}})
		case *ast.Link:
			out = c.link(out, string(n.Destination), c.inlines(n, depth+1))
		case *ast.Image: // shown as a link to it: nothing is fetched because someone wrote it
			out = c.link(out, string(n.Destination), c.inlines(n, depth+1))
		default:
			out = append(out, c.inlines(n, depth+1)...)
		}
	}
	if _, within := parent.(*ast.Link); within {
		return out
	}
	return c.linkTexts(out)
}

// link appends a link, or, when its address is not one that may be followed, what it said
// and where it wanted to go, as text.
func (c *converter) link(out []Node, href string, kids []Node) []Node {
	safe, ok := Href(href)
	switch {
	case !ok:
		for _, k := range kids {
			if k.Kind == Text {
				out = appendText(out, k.Text)
			} else {
				out = append(out, k)
			}
		}
		if href = strings.TrimSpace(href); href != "" && flat(kids) != href {
			out = appendText(out, " ("+href+")")
		}
		return out
	case len(kids) == 0:
		kids = []Node{{Text: safe}}
	}
	return append(out, Node{Kind: Link, Href: safe, Kids: kids})
}

func (c *converter) codeText(n *ast.CodeSpan) string {
	var b strings.Builder
	for k := n.FirstChild(); k != nil; k = k.NextSibling() {
		if t, ok := k.(*ast.Text); ok {
			b.WriteString(strings.ReplaceAll(string(t.Segment.Value(c.src)), "\n", " "))
		}
	}
	return b.String()
}

// linkTexts finds the bare addresses in texts, after the texts that emphasis marks tore
// apart have been joined again.
func (c *converter) linkTexts(in []Node) []Node {
	var out []Node
	for _, n := range in {
		if n.Kind != Text {
			out = append(out, n)
			continue
		}
		found := linkify(n.Text)
		c.left -= 2 * (len(found) - 1)
		out = append(out, found...)
	}
	return out
}

func appendText(out []Node, s string) []Node {
	if s == "" {
		return out
	}
	if k := len(out) - 1; k >= 0 && out[k].Kind == Text {
		out[k].Text += s
		return out
	}
	return append(out, Node{Kind: Text, Text: s})
}

// flat returns the text of nodes without their form.
func flat(nodes []Node) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(n.Text)
		b.WriteString(flat(n.Kids))
	}
	return b.String()
}
