package alerts

import (
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// item is one vacancy of a message: what happened, and the facts as they are
// now. What was learnt of its relatives since the event is one of them.
func item(s *vacancy.Search, e vacancy.Event, r vacancy.Record, today vacancy.Day) message.Item {
	e.Vacancy = r.Vacancy
	e.Vacancy.Text = r.Text
	it := message.Item{Outcomes: vacancy.Explain(s, &e.Vacancy, today)}
	if announces(e.Kind) {
		if e.Related == "" {
			e.Related, e.Relation = r.Link.Reference, r.Link.Kind
		}
		if e.Related == r.Link.Reference {
			it.RelatedWhy = r.Link.Why
		}
	}
	it.Event = e
	return it
}

// as returns an event as it is told: where that is asked for, as if the vacancy
// were new.
func as(e vacancy.Event, isNew bool) vacancy.Event {
	if isNew {
		e.Kind, e.Changes = vacancy.New, nil
	}
	return e
}

// leads returns for each item of a digest the one with which it is told: itself
// where it stands alone. A vacancy that is listed twice, and one post that is
// advertised for several sites, are one entry: what leads to another of the
// items stands with that one.
func leads(items []DigestItem) []int {
	at := map[vacancy.Key]int{}
	for i := range items {
		if items[i].Announces() {
			at[items[i].Event.Vacancy.Key()] = i
		}
	}
	lead := func(i int) int {
		n := i
		for range items {
			link := items[n].Record.Link
			next, ok := at[vacancy.Key{Source: items[n].Record.Vacancy.Source, Reference: link.Reference}]
			if !items[n].Announces() || !ok || link.Kind != vacancy.LinkTwin && link.Kind != vacancy.LinkSibling {
				return n
			}
			n = next
		}
		return i // A ring leads nowhere: each is told for itself.
	}
	out := make([]int, len(items))
	for i := range items {
		out[i] = lead(i)
	}
	return out
}

// inEntries returns the first items that make up to n entries, with all that
// stands with them: no post is told in two parts of a digest.
func inEntries(items []DigestItem, n int) []DigestItem {
	lead := leads(items)
	in := map[int]bool{}
	for i := range items {
		if len(in) < n {
			in[lead[i]] = true
		}
	}
	var out []DigestItem
	for i := range items {
		if in[lead[i]] {
			out = append(out, items[i])
		}
	}
	return out
}

// entries words the items of a digest.
func entries(s *vacancy.Search, items []DigestItem, today vacancy.Day) []message.Item {
	lead := leads(items)
	out := make([]message.Item, 0, len(items))
	place := map[int]int{} // of a leading item in out
	for i := range items {
		if lead[i] == i {
			place[i] = len(out)
			out = append(out, item(s, as(items[i].Event, items[i].AsNew), items[i].Record, today))
		}
	}
	for i := range items {
		if first := lead[i]; first != i {
			it := &out[place[first]]
			it.Others = append(it.Others, message.Other{Relation: items[i].Record.Link.Kind, Vacancy: items[i].Record.Vacancy})
		}
	}
	return out
}
