package templates

// Text is one parsed, guarded template.
type Text struct {
	Source string
	Format Format
}

// Parse parses and guards a text. The Text is nil if there are problems; problems come all at once.
func Parse(src string, f Format, names Names) (*Text, []Problem) { panic("contract") }

// Names lists every variable the text uses, each once, in order of appearance.
func (t *Text) Names() []string { panic("contract") }

// Render fills in the values.
func (t *Text) Render(v Values, o Options) (Rendered, error) { panic("contract") }
