// Package text turns what people write into what a screen shows: a message's
// Markdown into a small tree of [Node]s, and into one plain line for previews.
//
// The tree is all there is: it has no HTML, no images, no attributes, and the
// only address in it is the one of a [Link], which is http, https or mailto. A
// tag that someone typed is text like any other.
//
// Three things differ from CommonMark because people chat and do not typeset:
// a line break is a line break, the spaces a line begins with stay (four of them do
// not make code), and bare addresses are links.
package text

// A Kind says what a Node is.
type Kind uint8

const (
	Text      Kind = iota // Text, in which "\n" is a line break
	Code                  // Text
	Emphasis              // Kids
	Strong                // Kids
	Strike                // Kids
	Link                  // Href, Kids
	Paragraph             // Kids
	Heading               // Level 1 to 6, Kids
	Quote                 // Kids, which are blocks
	List                  // Level is the first number, 0 for bullets; Kids are Items
	Item                  // Kids, which are blocks
	CodeBlock             // Text; Lang, perhaps empty: letters, digits and +#.-_
	Rule                  // a line across
)

// A Node is a piece of a message. Which fields are set depends on Kind.
type Node struct {
	Kind  Kind
	Level int
	Text  string
	Lang  string
	Href  string
	Kids  []Node
}

// Bounds of a tree. A message beyond them is shown as it was typed.
const (
	MaxDepth = 16       // of Nodes within Nodes
	MaxNodes = 3_000    // in one message
	MaxBytes = 64 << 10 // of Markdown
)
