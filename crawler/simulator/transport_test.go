package simulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Now: time.Now, Live: 200, MinGap: time.Second})
		client := &http.Client{Transport: s.Transport()}
		fetch := func(ctx context.Context, path string) (*http.Response, string, error) {
			r, err := http.NewRequestWithContext(ctx, "GET", "https://www.jobs.nhs.uk"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(r)
			if err != nil {
				return nil, "", err
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			return res, string(b), err
		}
		faults := func(lines string) {
			time.Sleep(2 * time.Second)
			if err := s.SetFaults(script(t, lines)...); err != nil {
				t.Fatal(err)
			}
		}
		res, body, err := fetch(t.Context(), newestXML)
		if err != nil || res.StatusCode != 200 || res.ContentLength != int64(len(body)) || !strings.HasSuffix(body, "</nhsJobs>\n") {
			t.Fatalf("%v, %+v", err, res)
		}

		faults("xml slow=3s")
		begin := time.Now()
		if _, _, err := fetch(t.Context(), newestXML); err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("slow: %v after %v", err, time.Since(begin))
		}

		faults("xml slow=1h")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		begin = time.Now()
		if _, _, err := fetch(ctx, newestXML); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 20*time.Second {
			t.Errorf("very slow: %v after %v", err, time.Since(begin))
		}
		cancel()

		faults("xml drip=2s")
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
		begin = time.Now()
		if _, body, err := fetch(ctx, newestXML); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 20*time.Second || body == "" {
			t.Errorf("dripping: %v after %v and %d bytes", err, time.Since(begin), len(body))
		}
		cancel()

		for _, kind := range []string{"cut", "cut-unsized"} {
			faults("xml " + kind)
			if _, half, err := fetch(t.Context(), newestXML); !errors.Is(err, io.ErrUnexpectedEOF) || half == "" {
				t.Errorf("%s: %v after %d bytes", kind, err, len(half))
			}
		}
		faults("xml refused")
		if _, body, err := fetch(t.Context(), newestXML); !errors.Is(err, io.ErrUnexpectedEOF) || body != "" {
			t.Errorf("refused: %v, %d bytes", err, len(body))
		}
		faults("xml truncated")
		if _, half, err := fetch(t.Context(), newestXML); err != nil || strings.Contains(half, "</nhsJobs>") {
			t.Errorf("truncated: %v, %d bytes", err, len(half))
		}

		faults("")
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, _, err := fetch(ctx, newestXML); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://www.jobs.nhs.uk"+newestXML, nil)
		if err != nil {
			t.Fatal(err)
		}
		unread, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		unread.Body.Close() // Lets the handler go: the bubble would not end with it.
		time.Sleep(2 * time.Second)
		if broken := s.Broken(); len(broken) != 0 {
			t.Errorf("broken laws: %q", broken)
		}
	})
}

// TestOverTheNetwork checks what net/http makes of the breaks.
func TestOverTheNetwork(t *testing.T) {
	s, _ := open(Options{Faults: script(t, "xml cut after=1 count=1\nxml cut-unsized after=2 count=1")})
	server := httptest.NewServer(s)
	defer server.Close()
	server.Config.ErrorLog = nil
	for i, want := range []error{nil, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF} {
		res, err := server.Client().Get(server.URL + newestXML)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
		if !errors.Is(err, want) {
			t.Errorf("answer %d: got %v, want %v", i, err, want)
		}
	}
	if broken := s.Broken(); len(broken) != 0 {
		t.Errorf("broken laws: %q", broken)
	}
}
