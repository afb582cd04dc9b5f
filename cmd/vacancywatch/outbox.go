package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/web"
)

// outboxCmd shows an operator the messages that are not sent yet, and mends
// those that were given up. With a daemon running it goes through its admin
// address. It prints no address: where a message goes is a channel and a hash.
type outboxCmd struct {
	List    outboxListCmd    `cmd:"" help:"List messages, the earliest first."`
	Show    outboxShowCmd    `cmd:"" help:"Say everything about one message but what is in it."`
	Replay  outboxReplayCmd  `cmd:"" help:"Let messages go that were given up: under their old ids, with their old bytes, and all their tries before them."`
	Discard outboxDiscardCmd `cmd:"" help:"End messages that are not to be sent. What they were to tell is given up with them, unless --into-digest."`
}

type outboxFlags struct {
	Config string `required:"" type:"path" help:"The configuration file."`
}

type (
	outboxListCmd struct {
		outboxFlags
		State   string `enum:"all,due,waiting,claimed,buried,damaged" default:"all" help:"due (now), waiting (for their time), claimed (being sent), buried (given up), damaged (cannot be read) or all."`
		Channel string `help:"Only those of this channel."`
		Reason  string `help:"Only those whose last failure has this reason."`
		Limit   int    `default:"50" help:"At most so many."`
		JSON    bool   `name:"json" help:"One JSON a line."`
	}
	outboxShowCmd struct {
		outboxFlags
		ID   string `arg:"" name:"id" help:"The id of the message, or the token in its Message-ID or webhook-id."`
		JSON bool   `name:"json" help:"As JSON."`
	}
	outboxReplayCmd struct {
		outboxFlags
		ID        []string `arg:"" optional:"" name:"id" help:"The ids of messages, or the tokens in their Message-IDs or webhook-ids."`
		AllBuried bool     `help:"Every message that was given up."`
		Channel   string   `help:"With --all-buried: only those of this channel."`
		Reason    string   `help:"With --all-buried: only those given up for this reason, such as disabled."`
	}
	outboxDiscardCmd struct {
		outboxFlags
		ID         []string `arg:"" name:"id" help:"The ids of messages, or the tokens in their Message-IDs or webhook-ids."`
		IntoDigest bool     `help:"Leave what they were to tell to the next digest of their searches."`
	}
)

func (c *outboxListCmd) Run(e *env) error {
	o := web.OutboxOrder{Action: web.OutboxList, State: c.State, Channel: c.Channel, Reason: c.Reason, Limit: c.Limit}
	if o.State == "all" {
		o.State = ""
	}
	if c.Limit < 1 {
		return usageError{errors.New("--limit is a number from 1 on")}
	}
	answer, err := c.order(e, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return printLetters(e.stdout, answer.Letters)
	}
	return listLetters(e, &answer)
}

func (c *outboxShowCmd) Run(e *env) error {
	answer, err := c.order(e, web.OutboxOrder{Action: web.OutboxShow, IDs: []string{c.ID}})
	if err != nil {
		return err
	}
	if c.JSON {
		return printLetters(e.stdout, answer.Letters)
	}
	for i := range answer.Letters {
		if _, err := io.WriteString(e.stdout, letterWords(&answer.Letters[i])); err != nil {
			return err
		}
	}
	return nil
}

func (c *outboxReplayCmd) Run(e *env) error {
	switch {
	case c.AllBuried == (len(c.ID) > 0):
		return usageError{errors.New("give the ids of messages, or --all-buried")}
	case !c.AllBuried && c.Channel+c.Reason != "":
		return usageError{errors.New("--channel and --reason are for --all-buried alone")}
	}
	return c.mend(e, web.OutboxOrder{Action: web.OutboxReplay, IDs: c.ID, AllBuried: c.AllBuried, Channel: c.Channel, Reason: c.Reason})
}

func (c *outboxDiscardCmd) Run(e *env) error {
	return c.mend(e, web.OutboxOrder{Action: web.OutboxDiscard, IDs: c.ID, IntoDigest: c.IntoDigest})
}

// mend gives an order that changes messages, and says what came of each.
func (c *outboxFlags) mend(e *env, o web.OutboxOrder) error {
	answer, err := c.order(e, o)
	if err != nil {
		return err
	}
	left := 0
	for _, r := range answer.Results {
		if !r.Done {
			left++
		}
		if _, err := fmt.Fprintf(e.stdout, "%s: %s\n", r.ID, r.Said); err != nil {
			return err
		}
	}
	if len(answer.Results) == 0 {
		_, err := fmt.Fprintln(e.stdout, "No such message was given up: there is nothing to do.")
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d of %s left as they were", left, count(len(answer.Results), "message", "messages"))
	}
	return nil
}

// order carries an order out, or has the daemon that uses the state do it.
func (c *outboxFlags) order(e *env, o web.OutboxOrder) (web.OutboxAnswer, error) {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return web.OutboxAnswer{}, err
	}
	a := &app{cfg: cfg, log: log}
	err = a.openStore(e.ctx)
	var answer web.OutboxAnswer
	if err == nil {
		answer, err = a.outbox(e.ctx, o)
	}
	err = errors.Join(err, a.close())
	if errors.As(err, new(folderError)) {
		return orderThere(e, cfg, o, err)
	}
	return answer, err
}

func orderThere(e *env, cfg *config.Config, o web.OutboxOrder, used error) (web.OutboxAnswer, error) {
	q := question{method: http.MethodGet, path: "/-/outbox/" + o.Action, form: o.Form(), header: web.OutboxHeader, sign: o.Action, most: 1 << 30, used: used}
	if o.Action == web.OutboxReplay || o.Action == web.OutboxDiscard {
		q.method = http.MethodPost
	}
	b, err := ask(e, cfg, q)
	if err != nil {
		return web.OutboxAnswer{}, err
	}
	var answer web.OutboxAnswer
	if err := json.Unmarshal(b, &answer); err != nil {
		return web.OutboxAnswer{}, errors.New("the daemon does not answer as this version does")
	}
	return answer, nil
}

// outbox carries out an order on the state that this process holds.
func (a *app) outbox(ctx context.Context, o web.OutboxOrder) (web.OutboxAnswer, error) {
	now := time.Now()
	answer := web.OutboxAnswer{Letters: []web.Letter{}}
	q := store.LetterQuery{State: store.LetterState(o.State), Channel: o.Channel, Reason: o.Reason, Limit: o.Limit}
	if q.State != "" && !slices.Contains(store.LetterStates(), q.State) {
		return answer, &web.Refusal{Code: http.StatusBadRequest, Text: fmt.Sprintf("there is no state %q", o.State)}
	}
	switch o.Action {
	case web.OutboxList:
		letters, more, err := a.store.Letters(ctx, q, now)
		if err != nil {
			return answer, fmt.Errorf("list the outbox: %w", err)
		}
		for i := range letters {
			answer.Letters = append(answer.Letters, webLetter(&letters[i]))
		}
		answer.More = more
		return answer, nil
	case web.OutboxShow:
		for _, id := range o.IDs {
			l, settled, found, err := a.store.Letter(ctx, id, now)
			switch {
			case err != nil:
				return answer, fmt.Errorf("look up a message: %w", err)
			case !found && !settled.IsZero():
				return answer, &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("%s is in the outbox no more: it was delivered or dropped on %s", id, londonTime(settled))}
			case !found:
				return answer, &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("there is no message %s in the outbox", id)}
			}
			answer.Letters = append(answer.Letters, webLetter(&l))
		}
		return answer, nil
	case web.OutboxReplay, web.OutboxDiscard:
		if o.Action == web.OutboxReplay && o.AllBuried {
			q.State, q.Limit = store.LetterBuried, 0
			letters, _, err := a.store.Letters(ctx, q, now)
			if err != nil {
				return answer, fmt.Errorf("list the outbox: %w", err)
			}
			for i := range letters {
				o.IDs = append(o.IDs, letters[i].Message.ID)
			}
		}
		return a.mendLetters(ctx, o, answer)
	}
	return answer, &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("there is no action %q", o.Action)}
}

func (a *app) mendLetters(ctx context.Context, o web.OutboxOrder, answer web.OutboxAnswer) (web.OutboxAnswer, error) {
	mended := 0
	defer func() {
		if mended > 0 && a.deliverer != nil {
			a.deliverer.Wake()
		}
	}()
	for _, given := range o.IDs {
		var id string
		var how store.Mending
		var err error
		if o.Action == web.OutboxReplay {
			id, how, err = a.store.Replay(ctx, given, time.Now())
		} else {
			id, how, err = a.store.Discard(ctx, given, o.IntoDigest, time.Now())
		}
		if err != nil {
			return answer, fmt.Errorf("%s %s, %d of %d done: %w", o.Action, id, mended, len(o.IDs), err)
		}
		said, done := mendWords(o, how)
		if done {
			mended++
			a.log.Info("a person mended the outbox", "message", id, "action", o.Action, "outcome", string(how))
		}
		answer.Results = append(answer.Results, web.LetterResult{ID: id, Done: done, Said: said})
	}
	return answer, nil
}

// mendWords says what came of a replay or discard, and whether it was done.
func mendWords(o web.OutboxOrder, how store.Mending) (said string, done bool) {
	switch how {
	case store.MendDone:
		switch {
		case o.Action == web.OutboxReplay:
			return "it is due now, with all its tries before it", true
		case o.IntoDigest:
			return "it is discarded; the next digest of its search tells what is still open of it", true
		}
		return "it is discarded", true
	case store.MendReworded:
		return "it is due now; its bytes could not be read, so it is worded anew", true
	case store.MendRebuilt:
		return "it is due now; it could not be read, and was made again from its id", true
	case store.MendUnknown:
		return "there is no such message in the outbox", false
	case store.MendSettled:
		return "it is in the outbox no more: it was delivered or dropped", false
	case store.MendClaimed:
		return "it is being sent at this moment: look again in a few minutes", false
	case store.MendDamaged:
		return "what it tells of still cannot be read: it is kept as it is", false
	}
	return string(how), false // Unreachable: these are all.
}

func webLetter(l *store.Letter) web.Letter {
	m := &l.Message
	return web.Letter{
		ID: m.ID, Token: channel.Token(m.ID), State: string(l.State), At: l.At, Channel: m.Channel(), Dest: m.Dest, Search: m.Search, Also: m.Also,
		Event: m.Event, Window: m.Window, Items: m.Items, Created: m.Created, Replayed: m.Replayed, Tries: m.Tries, Doubtful: m.Doubtful,
		Reason: m.Reason, Detail: m.Detail, Bytes: l.Bytes,
	}
}

func printLetters(w io.Writer, letters []web.Letter) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for i := range letters {
		if err := out.Encode(&letters[i]); err != nil {
			return err
		}
	}
	return nil
}

func listLetters(e *env, answer *web.OutboxAnswer) error {
	if len(answer.Letters) == 0 {
		_, err := fmt.Fprintln(e.stdout, "Nothing of that kind is in the outbox.")
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tAT\tTRIES\tREASON\tID")
	for i := range answer.Letters {
		l := &answer.Letters[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", l.State, timeText(l.At), l.Tries, printable(strings.TrimSpace(l.Reason+" "+l.Detail)), printable(l.ID))
	}
	if answer.More {
		fmt.Fprintln(e.stderr, "there are more: --limit shows them")
	}
	return w.Flush()
}

// letterWords says everything about a message but what is in it.
func letterWords(l *web.Letter) string {
	var b strings.Builder
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-11s %s\n", what, printable(value))
		}
	}
	line("message", l.ID)
	line("token", l.Token)
	state := l.State
	switch store.LetterState(l.State) {
	case store.LetterDue:
		state += " since "
	case store.LetterWaiting:
		state += " for "
	case store.LetterClaimed:
		state += ", until at most "
	default:
		state += " since "
	}
	line("state", state+timeText(l.At))
	line("channel", l.Channel)
	line("destination", l.Dest)
	line("search", l.Search)
	line("also", strings.Join(l.Also, ", "))
	line("tells of", l.Event)
	line("digest", l.Window)
	for _, item := range l.Items {
		line("item", item)
	}
	line("made", timeText(l.Created))
	line("replayed", timeText(l.Replayed))
	line("tries", fmt.Sprint(l.Tries))
	if l.Doubtful {
		line("doubtful", "an attempt may have arrived, its answer was lost")
	}
	line("last failed", strings.TrimSpace(l.Reason+" "+l.Detail))
	rendered := "not yet"
	if l.Bytes > 0 {
		rendered = fmt.Sprintf("%d bytes", l.Bytes)
	}
	line("rendered", rendered)
	return b.String()
}
