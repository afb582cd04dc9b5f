package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

type previewCmd struct {
	Config   string   `required:"" type:"path" help:"The configuration file."`
	Search   []string `placeholder:"ID" help:"Only the search of this id; may be given several times."`
	Searches string   `type:"path" placeholder:"FILE" help:"Searches of this file instead, that are not saved yet: a configuration, or its searches key alone."`
	JSON     bool     `name:"json" help:"One JSON a line, an answer a search."`
}

// Run tells what each search would have found. It saves, sends and marks
// nothing. With a daemon running on embedded state it asks that one.
func (c *previewCmd) Run(e *env) error {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	searches, err := c.searches(cfg, e)
	if err != nil {
		return err
	}
	a := &app{cfg: cfg, log: log}
	err = a.openStore(e.ctx)
	var answers []*preview.Answer
	if err == nil {
		answers, err = previewHere(e.ctx, a, searches)
	}
	err = errors.Join(err, a.close())
	if errors.As(err, new(folderError)) {
		answers, err = previewThere(e, cfg, searches, err)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(e.stdout)
		out.SetEscapeHTML(false)
		for _, answer := range answers {
			if err := out.Encode(answer); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	for i, answer := range answers {
		writePreview(&b, answer, &searches[i])
	}
	_, err = io.WriteString(e.stdout, b.String())
	return err
}

// searches are those that are asked for, prepared.
func (c *previewCmd) searches(cfg *config.Config, e *env) ([]vacancy.Search, error) {
	file, places, err := withPostcodes(postcodesFile(cfg))
	switch {
	case err != nil:
		fmt.Fprintf(e.stderr, "postcodes: %v; without them places are known by their sector alone\n", err)
	case file != nil:
		defer file.Close()
	}
	all := cfg.VacancySearches(places)
	where := "the configuration"
	if c.Searches != "" {
		where = c.Searches
		if all, err = config.LoadSearches(c.Searches, places); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, usageError{errors.New("there are no searches in the configuration: name a file with --searches")}
	}
	if len(c.Search) == 0 {
		return all, nil
	}
	var out []vacancy.Search
	for _, id := range c.Search {
		i := slices.IndexFunc(all, func(s vacancy.Search) bool { return s.ID == id })
		if i < 0 {
			var ids []string
			for j := range all {
				ids = append(ids, all[j].ID)
			}
			return nil, usageError{fmt.Errorf("there is no search %q in %s: it has %s", id, where, strings.Join(ids, ", "))}
		}
		out = append(out, all[i])
	}
	return out, nil
}

func previewHere(ctx context.Context, a *app, searches []vacancy.Search) ([]*preview.Answer, error) {
	board, err := preview.Read(ctx, a.store, time.Now())
	if err != nil {
		return nil, fmt.Errorf("read the vacancies: %w", err)
	}
	var out []*preview.Answer
	for i := range searches {
		answer, err := board.Preview(ctx, &searches[i])
		if err != nil {
			return nil, err
		}
		out = append(out, answer)
	}
	return out, nil
}

// previewThere asks the daemon that uses the state, whose admin address the
// configuration names. Used is why it is not read here. Whom a search tells is
// not sent.
func previewThere(e *env, cfg *config.Config, searches []vacancy.Search, used error) ([]*preview.Answer, error) {
	base := adminURL(cfg.Listen.Admin)
	if base == "" {
		return nil, fmt.Errorf("%w\nA running daemon can be asked by its admin address alone, and listen.admin is %q: name one and restart the daemon, or stop the daemon for this command",
			used, cfg.Listen.Admin)
	}
	fmt.Fprintf(e.stderr, "the state is in use: asking the daemon at %s\n", base)
	request := web.PreviewRequest{}
	for i := range searches {
		s := searches[i].Clone()
		s.Notify, s.Subscriber = nil, ""
		request.Searches = append(request.Searches, s)
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	req, err := http.NewRequestWithContext(e.ctx, http.MethodPost, base+"/-/preview", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	// No proxy, and no redirect: it is our own daemon or nobody.
	client := &http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w\nNo daemon answers at listen.admin (%w): is its configuration this one, and is it whole started? Else stop it for this command", used, err)
	}
	defer answer.Body.Close()
	if answer.Header.Get(web.PreviewHeader) == "" {
		return nil, fmt.Errorf("%w\nAt listen.admin (%s) answers something that is no vacancywatch of this version: is the configuration that of the daemon?", used, base)
	}
	const most = 256 << 20
	b, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, fmt.Errorf("read the answer of the daemon at %s: %w", base, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the daemon at %s answers: %s", base, strings.TrimSpace(string(b)))
	}
	var reply web.PreviewReply
	if err := json.Unmarshal(b, &reply); err != nil || len(reply.Answers) != len(searches) {
		return nil, fmt.Errorf("the daemon at %s does not answer as this version does", base)
	}
	return reply.Answers, nil
}

// writePreview puts an answer into words. What adverts say is printed without
// what could steer a terminal.
func writePreview(b *strings.Builder, a *preview.Answer, s *vacancy.Search) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(b, "  %-9s %s\n", what, printable(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(b, "search %s: %s\n", a.ID, printable(a.Search))
	line("matches", "%d of %s of the last %d days, %d of %d open now", a.Forecast.Matches,
		count(a.Forecast.Seen, "vacancy", "vacancies"), preview.Days, a.OpenNow, a.Open)
	line("expect", "%s", a.Forecast.Words)
	for _, n := range s.Notify {
		rhythm := string(cmp.Or(n.Rhythm, vacancy.Instant))
		if n.Rhythm == vacancy.Daily || n.Rhythm == vacancy.Weekly {
			rhythm = fmt.Sprintf("%s at %02d:00", n.Rhythm, n.Hour)
		}
		line("told", "by %s, %s: about %.1f messages a week", n.Channel, rhythm, a.Mails.At(n.Rhythm))
	}
	for _, w := range a.Warnings {
		line("warning", "%s", w)
	}
	for _, l := range a.Loosenings {
		line("loosen", "%s: %d more", l.Change, l.Adds)
	}
	for i := range a.Newest {
		h := &a.Newest[i]
		v := h.Vacancy
		closing := "closed"
		switch {
		case h.Open && v.Closing.IsZero():
			closing = "no closing date stated"
		case h.Open:
			closing = "closes " + v.Closing.String()
		}
		line("newest", "%s: %s, %s, %s", v.Reference, v.Title, v.Employer, closing)
		line("", "why: %s", h.Why)
		if v.URL != "" {
			line("", "%s", v.URL)
		}
	}
}
