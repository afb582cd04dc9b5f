package main

import (
	"context"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

// feeds is what the private feeds and calendars of searches need; nil where it
// is not known how people reach the pages.
func (a *app) feeds() *web.Feeds {
	if a.cfg.Listen.PublicURL == "" {
		return nil
	}
	return &web.Feeds{URL: a.cfg.Listen.PublicURL, Search: func(ctx context.Context, id string) (vacancy.Search, uint32, bool, error) {
		s, ended, found, err := a.store.Saved(ctx, id)
		if err != nil || !found || ended != "" || s.Provisioned {
			return s, 0, found && ended == "", err
		}
		owner, generation, err := a.people.Owner(ctx, &s)
		return s, generation, owner != "", err
	}}
}
