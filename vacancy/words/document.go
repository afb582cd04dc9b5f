package words

// Names of the blocks of an advert, in their order. They are worded to stand
// after "in the".
const (
	Title       = "title"
	Summary     = "summary"
	Duties      = "duties"
	Description = "description"
	PersonSpec  = "person specification"
)

// A Field is a named text, not yet cut into words.
type Field struct {
	Name string
	Text string
}

// A Block is a named text and its words.
type Block struct {
	Name   string
	Text   string
	Tokens []Token
}

// A Doc is an advert as keyword searches see it: blocks in order, and where
// each word stands. It does not change after NewDoc and may be shared.
type Doc struct {
	Blocks []Block
	where  map[string][]position
}

type position struct {
	block, token int32
}

// NewDoc normalises the fields of an advert. Fields without words are left
// out. Leave out, too, what a search must not look at, such as the prose
// about the employer.
func NewDoc(fields ...Field) *Doc {
	d := &Doc{where: make(map[string][]position)}
	for _, f := range fields {
		tokens := Tokens(f.Text)
		if len(tokens) == 0 {
			continue
		}
		for i, t := range tokens {
			d.where[t.Word] = append(d.where[t.Word], position{int32(len(d.Blocks)), int32(i)})
		}
		d.Blocks = append(d.Blocks, Block{f.Name, f.Text, tokens})
	}
	return d
}

// Has reports whether a normalised word stands anywhere in the document.
func (d *Doc) Has(word string) bool { return len(d.where[word]) > 0 }

// Words calls yield with every different word of the document, in no order.
func (d *Doc) Words(yield func(word string) bool) {
	for w := range d.where {
		if !yield(w) {
			return
		}
	}
}

// Find returns the first place where normalised words stand side by side
// within one block. With a block name only that block is looked at; "" means
// all of them.
func (d *Doc) Find(phrase []string, in string) (block, token int, ok bool) {
	if len(phrase) == 0 {
		return 0, 0, false
	}
next:
	for _, p := range d.where[phrase[0]] {
		b := &d.Blocks[p.block]
		if in != "" && b.Name != in {
			continue
		}
		rest := b.Tokens[p.token:]
		if len(rest) < len(phrase) {
			continue
		}
		for k, w := range phrase[1:] {
			if rest[k+1].Word != w {
				continue next
			}
		}
		return int(p.block), int(p.token), true
	}
	return 0, 0, false
}
