package message

// A Plain is an alert in plain words, without markup, for channels that have a
// markup of their own. The words are those of the mail: each text is one line
// without control characters or marks that turn the reading direction, cut to
// what a fact may be long; each link is http or https, or "". Whoever shows
// them escapes them: an advert's text may hold anything else.
type Plain struct {
	Heading string
	Notices []string // what is to be said of the message itself
	Search  string   // its name
	Words   string   // the search in words, "" if that is its name already
	Also    []string
	Items   []PlainItem // at most MaxItems
	More    int         // how many were left out
	StopURL string
	PageURL string
}

// A PlainItem is one vacancy, its texts in the order in which they matter.
type PlainItem struct {
	Closing  string // the date and the days left
	Title    string
	URL      string
	Employer string
	Place    string
	Why      []string
	Note     string // what happened, "" for a new vacancy
	Changes  []string
	Facts    []string // of the rest: band, salary, contract …
	Unknown  []string // criteria that passed because the advert is silent
	Posted   string
	Tied     []PlainLink // other adverts of the post, or that it looks like
}

// A PlainLink is a sentence with a linked word in it.
type PlainLink struct{ Before, Text, URL, After string }

// NewPlain puts an alert into plain words.
func NewPlain(a Alert) Plain {
	v := newView(&a)
	p := Plain{Heading: v.Heading, Notices: v.Notices, Search: v.Search, Words: v.Words, Also: v.Also, StopURL: v.StopURL, PageURL: v.PageURL,
		More: a.More + len(a.Items) - len(v.Items)}
	for i := range v.Items {
		p.Items = append(p.Items, newPlainItem(&v.Items[i]))
	}
	return p
}

func newPlainItem(v *itemView) PlainItem {
	// The mail's parts escape a reference that stands for a missing title.
	it := PlainItem{Closing: v.Closing, Title: clip(v.Title), URL: v.URL, Why: v.Why, Note: v.Note, Unknown: v.Unknown, Posted: v.Posted}
	for _, f := range v.Facts {
		switch f.Name {
		case "Employer":
			it.Employer = f.Value
		case "Where":
			it.Place = f.Value
		default:
			it.Facts = append(it.Facts, f.String())
		}
	}
	for _, c := range v.Changes {
		it.Changes = append(it.Changes, c.Field+": was "+c.Before+", now "+c.After)
	}
	add := func(o *otherView) {
		it.Tied = append(it.Tied, PlainLink{Before: o.Before, Text: o.Reference, URL: o.URL, After: o.After})
	}
	if v.Related != nil {
		add(v.Related)
	}
	for i := range v.Others {
		add(&v.Others[i])
	}
	return it
}
