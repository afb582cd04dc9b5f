package quarantine

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// pack makes a file of a head and a body, as they are.
func pack(t testing.TB, head, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.WriteString(z, head+body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadRefuses(t *testing.T) {
	good := pack(t, headMark+`1,"source":"a"}`+"\n", "body")
	if p, e, err := Decode(bytes.NewReader(good)); err != nil || string(p.Body) != "body" || e.Source != "a" {
		t.Fatalf("Decode = %v, %v, %v", p, e, err)
	}
	blank := strings.Repeat(" ", maxHead)
	for name, data := range map[string][]byte{
		"nothing":        {},
		"no gzip":        []byte("<html>"),
		"another gzip":   pack(t, "<html>", ""),
		"no end of head": pack(t, headMark+"1}", ""),
		"a long head":    pack(t, headMark+"1"+blank+"}\n", ""),
		"another format": pack(t, headMark+"2}\n", ""),
		"no JSON":        pack(t, headMark+"1,}\n", ""),
		"a bomb":         pack(t, headMark+"1}\n", strings.Repeat("\x00", 1<<24)),
	} {
		if _, _, err := Decode(bytes.NewReader(data)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	// A file that is cut or damaged is ours, but not whole.
	for _, data := range [][]byte{good[:len(good)-4], append(bytes.Clone(good[:len(good)-8]), make([]byte, 8)...)} {
		if _, _, err := Decode(bytes.NewReader(data)); err == nil || errors.Is(err, ErrFormat) {
			t.Errorf("a damaged file: %v", err)
		}
	}
	if _, _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestHeadIsBounded keeps a page whose every property is too long.
func TestHeadIsBounded(t *testing.T) {
	f, _ := open(t)
	long := strings.Repeat("\"\\<\n\u2028", 3000)
	header := http.Header{}
	for _, name := range headers {
		header[name] = []string{long, long, long}
	}
	var defects []string
	for range 100 {
		defects = append(defects, long)
	}
	name, err := f.Keep(page.Page{URL: long, ContentType: long, Body: bytes.Repeat([]byte("a@b "), 1<<19)},
		Entry{Source: long, Run: long, Tier: long, Feed: long, Defects: defects, Err: long, Header: header, Fingerprint: long})
	if err != nil {
		t.Fatal(err)
	}
	p, e, err := Read(filepath.Join(f.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Body) != maxBody || len(e.Err) > maxText || strings.Contains(e.Err, "\n") {
		t.Errorf("a body of %d bytes and an error of %d", len(p.Body), len(e.Err))
	}
	if text := plainText(t, filepath.Join(f.dir, name)); !strings.Contains(text[:maxHead], `"cut":true`) {
		t.Error("the head does not say that the body was cut")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pack(f, headMark+`1,"source":"a","defects":["order"],"at":"2026-09-09T16:00:00Z","page":{"url":"u","status":200,"bytes":4}}`+"\n", "body"))
	f.Add(pack(f, headMark+`1}`+"\n", ""))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, pack(t, string(data), "")} {
			p, e, err := Decode(bytes.NewReader(data))
			if err != nil {
				if len(p.Body) > 0 {
					t.Fatalf("a page and the error %v", err)
				}
				continue
			}
			if len(p.Body) > maxBody {
				t.Fatalf("a body of %d bytes", len(p.Body))
			}
			// What was read can be written, and read again.
			again, err := encode(p, e)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := Decode(bytes.NewReader(again)); err != nil {
				t.Fatalf("written again: %v", err)
			}
		}
	})
}
