package quarantine

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

var start = time.Date(2026, 9, 9, 16, 0, 0, 0, time.UTC)

// A clock is moved by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T) (*Folder, *clock) {
	t.Helper()
	c := &clock{start}
	f, err := Open(filepath.Join(t.TempDir(), "state", "quarantine"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

func keep(t *testing.T, f *Folder, body string, e Entry) string {
	t.Helper()
	name, err := f.Keep(page.Page{Body: []byte(body)}, e)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// names lists what is kept, the oldest first.
func names(t *testing.T, f *Folder) []string {
	t.Helper()
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range list {
		out = append(out, k.Name)
	}
	return out
}

// plainText is what zcat prints.
func plainText(t *testing.T, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKeep(t *testing.T) {
	f, c := open(t)
	p := page.Page{URL: "https://www.jobs.nhs.uk/api/v1/search_xml?page=3&sort=publicationDateDesc", Status: 200,
		ContentType: "text/html;charset=UTF-8", Body: []byte("<html>\n<p>a & b</p>\n</html>\n")}
	entry := Entry{Source: "NHS Jobs/ü", Run: "17", Tier: "hot", Feed: "xml", Defects: []string{"layout", "total"}, Err: `unknown layout: "HTML" <where> XML is due`,
		Header: http.Header{"Etag": {`"abc"`}, "Age": {"5"}, "Set-Cookie": {"JSESSIONID=x"}, "Content-Type": {"text/html"}}, Fingerprint: "html-0123456789abcdef"}
	name, err := f.Keep(p, entry)
	if err != nil {
		t.Fatal(err)
	}
	if want := "20260909T160000.000000000Z_nhs-jobs_layout.page.gz"; name != want {
		t.Errorf("the file is %s, want %s", name, want)
	}
	gotPage, got, err := Read(filepath.Join(f.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	want := entry
	want.At, want.Header = c.at, http.Header{"Etag": {`"abc"`}, "Age": {"5"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(p, gotPage); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	head, body, _ := strings.Cut(plainText(t, filepath.Join(f.dir, name)), "\n")
	if !strings.HasPrefix(head, headMark+"1,") || body != string(p.Body) {
		t.Errorf("the file is not one line of head and the body:\n%s\n%s", head, body)
	}

	for file, want := range map[string]os.FileMode{f.dir: 0o700 | os.ModeDir, filepath.Join(f.dir, name): 0o600} {
		info, err := os.Stat(file)
		if err != nil || info.Mode() != want {
			t.Errorf("%s has the mode %v, %v; want %v", file, info.Mode(), err, want)
		}
	}

	// The same again, and one that says nothing of itself.
	second := keep(t, f, "", entry)
	bare := keep(t, f, "", Entry{})
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	files, size := f.Stats()
	for _, k := range list {
		info, err := os.Stat(filepath.Join(f.dir, k.Name))
		if err != nil || info.Size() != k.Size || k.Size == 0 {
			t.Errorf("%s is listed with %d bytes: %v", k.Name, k.Size, err)
		}
		size -= k.Size
	}
	if files != 3 || size != 0 {
		t.Errorf("%d files, %d bytes off; want 3, 0", files, size)
	}
	if diff := cmp.Diff([]string{name, bare, second}, names(t, f)); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if second != "20260909T160000.000000000Z_nhs-jobs_layout_2.page.gz" || bare != "20260909T160000.000000000Z_unknown_unknown.page.gz" {
		t.Errorf("the other files are %s and %s", second, bare)
	}
}

// TestSecrecy plants what must not be kept in every place that is kept, and
// looks at the bytes.
func TestSecrecy(t *testing.T) {
	planted := []string{"jo.planted@norhaven.example", "jo.planted&#64;norhaven.example", "jo.planted%40norhaven.example", "jo.planted (at) norhaven.example",
		"0113 496 0123", "(0113) 496 0123", "01134960123", "+44 113 496 0123", "+44 (0)113 496 0123", "0044 113 4960123", "020 7946 0123", "07700 900123", "0113&nbsp;496&nbsp;0123",
		"_csrf=Vx7pQ2sessionsecret", ";jsessionid=5C1E0A7B66F24D1F.node2", "?access_token=eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4", "Set-Cookie: SESSION=MDk4ZjZiY2Q0NjIx; Path=/",
		"?next=098f6bcd4621d373cade4e832627b4f6"}
	found := []string{"norhaven", "496", "7946", "900123", "vx7p", "5c1e0a", "sflk", "eyjzdw", "mdk4zj", "098f6b", "blushing", "ada planted"}
	f, _ := open(t)
	for _, p := range planted {
		body := `<html><input type="hidden" value="blushing" name="_csrf"><p id="contact_details_name">Ada Planted</p>` + p + "</html>"
		for kind, body := range map[string]string{"text/html": body, "application/xml": "<nhsJobs><title>" + p + "</title></nhsJobs>",
			"application/json": `{"status":406,"error":"` + p + `","trace":["` + p + `"]}`, "": p} {
			name, err := f.Keep(page.Page{URL: "https://www.jobs.nhs.uk/candidate?x=1&" + p, ContentType: kind, Body: []byte(body)},
				Entry{Source: "nhs-jobs", Defects: []string{"layout"}, Err: "get: " + p, Header: http.Header{"Location": {"/login?" + p}, "Set-Cookie": {"SESSION=MDk4ZjZiY2Q0NjIx"}}})
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ToLower(plainText(t, filepath.Join(f.dir, name)))
			for _, s := range found {
				if strings.Contains(text, s) {
					t.Errorf("%q is left of %q in\n%s", s, p, text)
				}
			}
		}
	}
}

// TestCrash leaves behind what a crash would, and other people's files.
func TestCrash(t *testing.T) {
	f, c := open(t)
	kept := keep(t, f, "x", Entry{Source: "a"})
	left := filepath.Join(f.dir, tempPrefix+"123")
	foreign := filepath.Join(f.dir, "notes.txt")
	half := filepath.Join(f.dir, "20260909T150000.000000000Z_a_b"+ending)
	for _, file := range []string{left, foreign, half} {
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Open(f.dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished file is there: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a file that is not ours is gone: %v", err)
	}
	if info, err := os.Stat(f.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	// A file that cannot be read is said, and hides no other.
	list, err := f.List()
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "_a_b") || len(list) != 1 || list[0].Name != kept {
		t.Errorf("list is %v, %v", list, err)
	}
	// What is past its age leaves when the folder is opened.
	c.at = c.at.Add(MaxAge + time.Hour)
	if f, err = Open(f.dir, c.now); err != nil {
		t.Fatal(err)
	}
	if files, _ := f.Stats(); files != 0 {
		t.Errorf("%d files are past their age", files)
	}
}

func TestTrouble(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "folder"), time.Now); err == nil {
		t.Error("a folder below a file is opened")
	}
	f, _ := open(t)
	if err := os.Remove(f.dir); err != nil {
		t.Fatal(err)
	}
	if name, err := f.Keep(page.Page{}, Entry{}); err == nil || name != "" {
		t.Errorf("Keep in a folder that is gone: %q, %v", name, err)
	}
	if _, err := f.List(); err == nil {
		t.Error("List of a folder that is gone")
	}
	if err := f.Expire(); err == nil {
		t.Error("Expire in a folder that is gone")
	}
	if files, bytes := f.Stats(); files != 0 || bytes != 0 {
		t.Errorf("Stats of a folder that is gone: %d, %d", files, bytes)
	}
	if err := write(f.dir, "x", nil); err == nil {
		t.Error("a file is written into a folder that is gone")
	}
	// A rename that fails leaves nothing behind.
	if err := os.MkdirAll(filepath.Join(f.dir, "taken", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write(f.dir, "taken", []byte("x")); err == nil {
		t.Error("a folder is replaced by a file")
	}
	if left, err := filepath.Glob(filepath.Join(f.dir, tempPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	if _, err := f.Keep(page.Page{}, Entry{At: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("a page of the year 12000 is kept")
	}
}

func TestConcurrent(t *testing.T) {
	f, _ := open(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for i := range 40 {
		all.Go(func() {
			name, err := f.Keep(page.Page{Body: []byte(strings.Repeat("x", i))}, Entry{Source: fmt.Sprint("s", i%8)})
			if err != nil {
				t.Error(err)
			}
			if _, err := f.List(); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[name] {
				t.Errorf("%s is given twice", name)
			}
			seen[name] = true
		})
	}
	all.Wait()
	if files, _ := f.Stats(); files != 40 {
		t.Errorf("%d files, want 40", files)
	}
}
