package words

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says why a keyword expression cannot be read, naming the
// words at fault and what to do about them.
type SyntaxError struct {
	Pos int // byte offset of the fault in the expression
	Msg string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at position %d)", e.Msg, e.Pos+1)
}

// Parse reads a keyword expression.
//
//	query   = or .                             Operators in any case; quote them to mean the word.
//	or      = and { ( "OR" | "|" ) and } .     AND binds tighter than OR, NOT tightest.
//	and     = unary { [ "AND" | "&" ] unary } . Side by side means AND.
//	unary   = [ "NOT" | "-" ] primary .        "-" right before a word, quote or bracket.
//	primary = [ "title:" ] ( word | phrase ) | "(" or ")" .
//	phrase  = '"' word { word } '"' .
//
// A word that normalises to several ("A&E") is a phrase. Comma and semicolon
// separate like a space. Curly quotes are quotes. Every error is a
// *SyntaxError; nothing is guessed.
func Parse(s string) (*Query, error) {
	p := &parser{text: s}
	if err := p.lex(); err != nil {
		return nil, err
	}
	if len(p.tokens) == 0 {
		return nil, &SyntaxError{0, "there is no word to look for: write at least one, or leave the keywords out"}
	}
	root, err := p.or(1)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		// Only a closing bracket ends an expression early.
		return nil, &SyntaxError{t.pos, `")" closes nothing: take it out, or put "(" where its group begins`}
	}
	return &Query{root, p.hints(root)}, nil
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	phraseToken
	andToken
	orToken
	notToken
	openToken
	closeToken
)

type queryToken struct {
	kind  tokenKind
	pos   int
	text  string // as written, without quotes and without title:
	words []string
	title bool
}

// name is how a message calls the token.
func (t queryToken) name() string {
	if t.kind == phraseToken {
		return "the phrase \"" + t.text + `"`
	}
	return `"` + t.text + `"`
}

type parser struct {
	text   string
	tokens []queryToken
	at     int
	terms  int
	commas bool
}

const quotes = "\"“”„‟＂"

func isQuote(r rune) bool { return strings.ContainsRune(quotes, r) }

// delimiter reports whether r ends a bare word.
func delimiter(r rune) bool {
	return unicode.IsSpace(r) || isQuote(r) || strings.ContainsRune("(),;|", r)
}

func (p *parser) lex() error {
	s := p.text
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
		case r == ',' || r == ';':
			p.commas = true
			i += size
		case r == '(':
			p.add(queryToken{kind: openToken, pos: i, text: "("})
			i += size
		case r == ')':
			p.add(queryToken{kind: closeToken, pos: i, text: ")"})
			i += size
		case r == '|':
			for i < len(s) && s[i] == '|' { // "||" is a habit of programmers
				i++
			}
			p.add(queryToken{kind: orToken, pos: i - 1, text: "|"})
		case r == '-' && startsTerm(s[i+1:]):
			p.add(queryToken{kind: notToken, pos: i, text: "-"})
			i += size
		default:
			next, err := p.term(i)
			if err != nil {
				return err
			}
			i = next
		}
	}
	return nil
}

// startsTerm reports whether a "-" before s excludes something.
func startsTerm(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && (r == '(' || r != '-' && !delimiter(r) || isQuote(r))
}

func (p *parser) add(t queryToken) { p.tokens = append(p.tokens, t) }

// term reads a bare word or a phrase, with its title: prefix, and returns
// where it ends.
func (p *parser) term(start int) (int, error) {
	s := p.text
	i := start
	const prefix = "title:"
	title := len(s)-i >= len(prefix) && strings.EqualFold(s[i:i+len(prefix)], prefix)
	if title {
		i += len(prefix)
		r, _ := utf8.DecodeRuneInString(s[i:])
		switch {
		case i < len(s) && r == '(':
			return 0, &SyntaxError{start, `"title:" does not take a group: put it before each word, as in (title:nurse OR title:sister)`}
		case i == len(s) || delimiter(r) && !isQuote(r):
			return 0, &SyntaxError{start, `"title:" has no word right behind it: write title:nurse or title:"staff nurse"`}
		}
	}
	if r, size := utf8.DecodeRuneInString(s[i:]); isQuote(r) {
		return p.phrase(start, i+size, title)
	}
	end := i
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		if delimiter(r) {
			break
		}
		end += size
	}
	text := s[i:end]
	t := queryToken{kind: wordToken, pos: start, text: text, title: title}
	if !title {
		switch strings.ToLower(text) {
		case "and", "&", "&&":
			t.kind = andToken
		case "or":
			t.kind = orToken
		case "not":
			t.kind = notToken
		}
	}
	if t.kind == wordToken {
		if t.words = Split(text); len(t.words) == 0 {
			msg := fmt.Sprintf("%q has neither letters nor digits: take it out", text)
			if text == "-" {
				msg = `"-" stands alone: put it right before the word to exclude, or take it out`
			}
			return 0, &SyntaxError{start, msg}
		}
	}
	p.add(t)
	return end, nil
}

// phrase reads on behind an opening quote.
func (p *parser) phrase(start, i int, title bool) (int, error) {
	length := strings.IndexAny(p.text[i:], quotes)
	if length < 0 {
		return 0, &SyntaxError{start, fmt.Sprintf("the quote before %q is never closed: add one at the end of the phrase, or take it out", firstWord(p.text[i:]))}
	}
	text := strings.Join(strings.Fields(p.text[i:i+length]), " ")
	t := queryToken{kind: phraseToken, pos: start, text: text, title: title, words: Split(text)}
	if len(t.words) == 0 {
		return 0, &SyntaxError{start, "there is no word between the quotes: write the phrase to look for, or take them out"}
	}
	p.add(t)
	_, size := utf8.DecodeRuneInString(p.text[i+length:])
	return i + length + size, nil
}

func firstWord(s string) string {
	f := strings.Fields(s)
	if len(f) == 0 {
		return ""
	}
	return f[0]
}

func (p *parser) peek() queryToken {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return queryToken{kind: endToken, pos: len(p.text)}
}

func (p *parser) or(depth int) (*Node, error) {
	kid, err := p.and(depth)
	if err != nil {
		return nil, err
	}
	kids := []*Node{kid}
	for p.peek().kind == orToken {
		p.at++
		if kid, err = p.and(depth); err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return group(Or, kids), nil
}

func (p *parser) and(depth int) (*Node, error) {
	kid, err := p.unary(depth)
	if err != nil {
		return nil, err
	}
	kids := []*Node{kid}
	for {
		switch p.peek().kind {
		case andToken:
			p.at++
		case wordToken, phraseToken, notToken, openToken:
		default:
			return group(And, kids), nil
		}
		if kid, err = p.unary(depth); err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
}

// group joins kids under op, taking in those that are of the same kind.
func group(op Op, kids []*Node) *Node {
	if len(kids) == 1 {
		return kids[0]
	}
	n := &Node{Op: op}
	for _, k := range kids {
		if k.Op == op {
			n.Kids = append(n.Kids, k.Kids...)
		} else {
			n.Kids = append(n.Kids, k)
		}
	}
	return n
}

func (p *parser) unary(depth int) (*Node, error) {
	t := p.peek()
	if t.kind != notToken {
		return p.primary(depth)
	}
	p.at++
	if next := p.peek(); next.kind == notToken {
		return nil, &SyntaxError{next.pos, fmt.Sprintf("%s follows %s: one is enough to exclude a word", next.name(), t.name())}
	}
	kid, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	if kid.Op == Not { // NOT (NOT nurse) is nurse
		return kid.Kids[0], nil
	}
	return &Node{Op: Not, Kids: []*Node{kid}}, nil
}

func (p *parser) primary(depth int) (*Node, error) {
	t := p.peek()
	p.at++
	switch t.kind {
	case wordToken, phraseToken:
		p.terms++
		if p.terms > MaxTerms {
			return nil, &SyntaxError{t.pos, fmt.Sprintf("%s is the %dth word or phrase, and %d are allowed: make two searches of it", t.name(), p.terms, MaxTerms)}
		}
		return &Node{Op: Term, Words: t.words, Text: t.text, Title: t.title, Quoted: t.kind == phraseToken}, nil
	case openToken:
		if depth >= MaxDepth {
			return nil, &SyntaxError{t.pos, fmt.Sprintf("brackets stand more than %d deep here: take some out, most change nothing", MaxDepth-1)}
		}
		if p.peek().kind == closeToken {
			return nil, &SyntaxError{t.pos, `"()" holds no word: write one between the brackets, or take them out`}
		}
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek().kind != closeToken {
			return nil, &SyntaxError{t.pos, `"(" is never closed: put ")" at the end of its group`}
		}
		p.at++
		return n, nil
	}
	return nil, p.missing(t)
}

// missing explains a place where a word should stand.
func (p *parser) missing(t queryToken) error {
	fix := `: put a word there, or write the operator in quotes to look for the word itself`
	if p.at < 2 {
		if t.kind == closeToken {
			return &SyntaxError{t.pos, `")" closes nothing: take it out, or put "(" where its group begins`}
		}
		return &SyntaxError{t.pos, t.name() + " has no word before it" + fix}
	}
	before := p.tokens[p.at-2]
	switch {
	case t.kind == endToken || t.kind == closeToken:
		return &SyntaxError{before.pos, before.name() + " has no word behind it" + fix}
	default:
		return &SyntaxError{t.pos, fmt.Sprintf("%s follows %s without a word between them%s", t.name(), before.name(), fix)}
	}
}

// hints collects what an editor should ask about.
func (p *parser) hints(root *Node) []string {
	var hints []string
	if p.commas && root.Op == And {
		hints = append(hints, "A comma separates words that must all be there. To accept any one of them, write OR between them.")
	}
	for i, t := range p.tokens {
		var band string
		switch {
		case len(t.words) >= 2 && t.words[0] == "band":
			band = t.words[1]
		case len(t.words) == 1 && t.words[0] == "band" && i+1 < len(p.tokens) && len(p.tokens[i+1].words) > 0:
			band = p.tokens[i+1].words[0]
		}
		if band != "" && band[0] >= '2' && band[0] <= '9' {
			hints = append(hints, fmt.Sprintf("Band %s as a keyword finds only adverts that print those words. The band criterion finds them all.", band))
		}
	}
	return hints
}
