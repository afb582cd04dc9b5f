package store

import (
	"context"
	"fmt"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

var _ alerts.Endpoints = (*Store)(nil)

// Endpoints returns the health of the endpoint of each channel that has one.
func (s *Store) Endpoints(ctx context.Context) (map[string]alerts.Health, error) {
	out := map[string]alerts.Health{}
	err := s.scan(ctx, metaSlot, metaKey("endpoints"), func(channel string, b []byte) error {
		var h alerts.Health
		if err := decode(b, &h); err != nil {
			return fmt.Errorf("health of channel %s: %w", channel, err)
		}
		out[channel] = h
		return nil
	})
	return out, err
}

// ChangeEndpoint changes the health of a channel's endpoint in one step, and
// returns it. An endpoint that is not known has none.
func (s *Store) ChangeEndpoint(ctx context.Context, channel string, change func(alerts.Health) alerts.Health) (alerts.Health, error) {
	var after alerts.Health
	err := s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("endpoints"), Field: channel}
		if err := tx.Read(r); err != nil {
			return err
		}
		var before alerts.Health
		if r.OK {
			if err := decode(r.Val, &before); err != nil {
				return fmt.Errorf("health of channel %s: %w", channel, err)
			}
		}
		if after = change(before); after != before {
			tx.HSet(metaKey("endpoints"), channel, encode(&after))
		}
		return nil
	})
	return after, err
}
