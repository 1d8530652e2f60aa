package text

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
)

// A paragraphParser is goldmark's, but keeps the spaces that lines begin with: a
// pasted piece of code or a poem keeps its shape.
type paragraphParser struct{ parser.BlockParser }

func (paragraphParser) CanAcceptIndentedLine() bool { return true }

func (paragraphParser) Close(node ast.Node, reader gtext.Reader, _ parser.Context) {
	lines := node.Lines()
	if last := lines.Len() - 1; last >= 0 {
		l := lines.At(last)
		lines.Set(last, l.TrimRightSpace(reader.Source()))
	}
}
