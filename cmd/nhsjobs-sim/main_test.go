package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

func TestRefusals(t *testing.T) {
	script := filepath.Join(t.TempDir(), "faults")
	if err := os.WriteFile(script, []byte("# outage\n\nxml 503 afer=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"public":   {[]string{"--listen", "0.0.0.0:0"}, "0.0.0.0:0 is not loopback"},
		"no port":  {[]string{"--listen", "127.0.0.1"}, "missing port"},
		"speed":    {[]string{"--speed", "0"}, "must be positive"},
		"no flag":  {[]string{"--sped", "2"}, "unknown flag --sped"},
		"no file":  {[]string{"--faults", script + "x"}, "no such file"},
		"bad line": {[]string{"--faults", script}, "line 3: afer=1: the keys are after"},
	} {
		var stdout, stderr strings.Builder
		if code := run(t.Context(), c.args, &stdout, &stderr); code != usage || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: got exit %d and %q, want %d and %q", name, code, stderr.String(), usage, c.want)
		}
	}
}

// start runs the command and returns its address and a function that ends it
// and returns exit code and standard error.
func start(t *testing.T, args ...string) (string, func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var stderr strings.Builder
	code := make(chan int)
	go func() {
		c := run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), w, &stderr)
		w.Close()
		code <- c
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v, %s", err, stderr.String())
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), func() (int, string) {
		cancel()
		c := <-code
		return c, stderr.String()
	}
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestAStoryFromOutside(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	base, end := start(t, "--quiet", "--live", "0", "--min-gap", "0s", "--truth", truth)
	status, body := call(t, "POST", base+"/-/sim/publish",
		`{"title":"Staff Nurse","employer":"Tarnmere NHS Trust","closing":"2199-01-31","sites":[{"town":"Leeds","postcode":"LS9 7TF"}]}`)
	var published struct{ Reference string }
	if err := json.Unmarshal([]byte(body), &published); err != nil || status != 200 || published.Reference == "" {
		t.Fatalf("publish: %d %s", status, body)
	}
	order := `{"reference":"` + published.Reference + `"`
	if _, page := call(t, "GET", base+"/candidate/jobadvert/"+published.Reference, ""); !strings.Contains(page, "Staff Nurse") {
		t.Errorf("the advert is not served:\n%s", page)
	}
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"move", order + `,"closing":"2199-02-01"}`, 200},
		{"move", order + `,"closing":"soon"}`, 400},
		{"amend", order + `,"change":{"contract":"Bank"}}`, 200},
		{"amend", order + `,"change":{"contrct":"Bank"}}`, 400},
		{"close", order + `}`, 200},
		{"close", order + `}`, 400},
		{"reopen", order + `,"closing":"2199-03-01"}`, 200},
		{"publish", `{"title":""}`, 400},
		{"publish", `{} {}`, 400},
		{"faults", "xml 503 count=1", 200},
		{"faults", "xml 99", 400},
		{"resume", "", 200},
	} {
		if status, body := call(t, "POST", base+"/-/sim/"+c.path, c.body); status != c.want {
			t.Errorf("POST %s %s: got %d %s, want %d", c.path, c.body, status, body, c.want)
		}
	}
	if status, _ := call(t, "GET", base+"/api/v1/search_xml?limit=100&page=1", ""); status != 503 {
		t.Errorf("the fault gives %d, want 503", status)
	}
	if _, broken := call(t, "GET", base+"/-/sim/broken", ""); broken != "" {
		t.Errorf("laws are broken: %s", broken)
	}
	if _, log := call(t, "GET", base+"/-/sim/requests", ""); strings.Count(log, "\n") != 2 || strings.Contains(log, "/-/") {
		t.Errorf("got the requests\n%swant the two to the site", log)
	}
	if code, stderr := end(); code != done {
		t.Errorf("got exit %d, %s", code, stderr)
	}
	written, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	var record simulator.Record
	if err := json.Unmarshal(written, &record); err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, v := range record.Versions {
		events = append(events, v.Event)
	}
	if got, want := strings.Join(events, ","), "new,closing moved,amended,reopened"; got != want || !record.Live || record.Now().Contract != "Bank" {
		t.Errorf("got the events %s, want %s; %s", got, want, written)
	}
}

func TestBrokenLawsFailTheRun(t *testing.T) {
	base, end := start(t, "--live", "20")
	call(t, "GET", base+"/candidate/search/results?internalOnly=true", "")
	if code, stderr := end(); code != failed || !strings.Contains(stderr, "internalOnly asks for internal adverts") {
		t.Errorf("got exit %d and %q", code, stderr)
	}
}

func TestControlIsForLoopback(t *testing.T) {
	h := loopbackOnly(http.NotFoundHandler())
	for _, c := range []struct {
		remote, host string
		want         int
	}{
		{"127.0.0.1:999", "localhost:8090", 404},
		{"[::1]:999", "[::1]:8090", 404},
		{"192.0.2.7:999", "localhost:8090", 403},
		{"127.0.0.1:999", "evil.example", 403},
	} {
		r := httptest.NewRequest("GET", "/-/sim/truth", nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("from %s to %s: got %d, want %d", c.remote, c.host, w.Code, c.want)
		}
	}
}
