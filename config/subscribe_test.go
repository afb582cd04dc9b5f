package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSubscribe(t *testing.T) {
	const mail = "channels:\n- {name: mail, email: {host: 127.0.0.1, tls: none, from: a@vacancywatch.example}}\n" +
		"- {name: hook, webhook: {url: \"http://127.0.0.1/x\", allow_http: true, allow: [127.0.0.0/8], secret_file: s}}\n"
	const url = "listen: {public_url: \"http://127.0.0.1:8080\"}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"good", url + "subscribe: {channel: mail, proxies: [127.0.0.1, 10.0.0.0/8, \"fd00::/8\"]}", ""},
		{"no channel", url + "subscribe: {proxies: [127.0.0.1]}", "subscribe.channel: is missing: give the name of a mail channel"},
		{"unknown channel", url + "subscribe: {channel: post}", `subscribe.channel: there is no channel "post"`},
		{"no mail", url + "subscribe: {channel: hook}", `subscribe.channel: "hook" is of kind webhook: people confirm by mail, so give a mail channel`},
		{"no public_url", "subscribe: {channel: mail}", "subscribe: listen.public_url is missing: the mails that ask people to confirm link to it"},
		{"off", "listen: {public: off, public_url: \"http://127.0.0.1:8080\"}\nsubscribe: {channel: mail}", "subscribe: listen.public is off: people subscribe on its pages"},
		{"proxy", url + "subscribe: {channel: mail, proxies: [everybody]}", `subscribe.proxies: "everybody" is neither an address nor a network such as 10.0.0.0/8`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "s"), []byte("whsec_ZGVtby1zZWNyZXQtZm9yLWxvb3BiYWNrLW9ubHktISE="), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Parse([]byte(local+mail+tt.text+"\n"), dir)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "":
				if got := len(c.Subscribe.Prefixes()); got != 3 {
					t.Errorf("%d proxies", got)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
