package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/sync/errgroup"
)

// What is compared with: the libraries by which alerts leave, handed the same
// bytes ready-made, with nothing remembered before or after. Who sends like
// this loses with a crash what was not sent, or sends all of it again.

// bareMail sends mails one after another over one connection, of which it makes
// a new one after so many mails, and returns how long that took without the
// first dialling.
func bareMail(ctx context.Context, to relay, mails []sent, mailsPerConn int) (took time.Duration, err error) {
	policy := mail.NoTLS
	if to.trust != nil {
		policy = mail.TLSMandatory
	}
	c, err := mail.NewClient(to.host, mail.WithPort(to.port), mail.WithTLSPolicy(policy), mail.WithTimeout(15*time.Second),
		mail.WithTLSConfig(&tls.Config{ServerName: to.host, RootCAs: to.trust}), mail.WithoutNoop(), mail.WithoutSMTPUTF8())
	if err != nil {
		return 0, err
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for first := true; ; first = false {
		if !first {
			if conn, err = c.DialToSMTPClientWithContext(ctx); err != nil {
				return 0, err
			}
		}
		n := min(len(mails), mailsPerConn)
		for i := range mails[:n] {
			if err := bareMailTo(conn, &mails[i]); err != nil {
				return 0, errors.Join(err, conn.Close())
			}
		}
		took = time.Since(began) // a goodbye keeps no mail waiting
		if err := conn.Quit(); err != nil {
			return 0, err
		}
		if mails = mails[n:]; len(mails) == 0 {
			return took, nil
		}
	}
}

func bareMailTo(conn *smtp.Client, m *sent) error {
	if err := conn.UpdateDeadline(time.Minute); err != nil {
		return err
	}
	if err := conn.Mail("<" + m.from + ">"); err != nil {
		return err
	}
	if err := conn.Rcpt("<" + m.to + ">"); err != nil {
		return err
	}
	w, err := conn.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(m.body); err != nil {
		return err
	}
	return w.Close()
}

// bareHooks posts webhooks, to each endpoint one after another and to all at
// the same time, each over a connection that is kept.
func bareHooks(ctx context.Context, to []*hookSink, hooks []sent) (time.Duration, error) {
	each := make([][]sent, len(to))
	for _, h := range hooks {
		each[h.endpoint] = append(each[h.endpoint], h)
	}
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i, endpoint := range to {
		g.Go(func() error {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 15 * time.Second}
			for _, h := range each[i] {
				if err := bareHook(ctx, client, endpoint, h); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return time.Since(began), err
}

func bareHook(ctx context.Context, client *http.Client, to *hookSink, h sent) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(h.body))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", h.id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", hookSignature(to.key, h.id, stamp, h.body))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the endpoint answered %s", resp.Status)
	}
	return nil
}
