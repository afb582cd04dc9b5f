package vacancywatch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vacancywatch/vacancywatch"

// layers are the rooms from the ground up. A package imports packages of its
// own room and of rooms below, never one beside it or above.
var layers = map[string]int{
	"vacancy": 1,
	"crawler": 2, "alerts": 2,
	"store": 3, "web": 3,
	"config": 4,
	"cmd":    5,
}

// homes are the only places where a library may be used: what stands behind
// them can then be replaced there.
var homes = map[string]func(file string) bool{
	"github.com/redis/go-redis/":       in("store/"),
	"go.etcd.io/bbolt":                 in("store/engine/"),
	"github.com/gocolly/colly/":        is("crawler/fetch.go"),
	"github.com/robfig/cron/":          is("crawler/schedule.go"),
	"github.com/temoto/robotstxt":      in("crawler/polite/"),
	"github.com/wneessen/go-mail":      in("alerts/channel/"),
	"github.com/emersion/go-smtp":      in("alerts/"),
	"github.com/emersion/go-msgauth":   in("alerts/channel/"),
	"github.com/alecthomas/kong":       in("cmd/"),
	"github.com/goccy/go-yaml":         in("config/"),
	"github.com/gorilla/feeds":         in("web/"),
	"github.com/arran4/golang-ical":    in("web/"),
	"github.com/standard-webhooks/":    in("alerts/"),
	"github.com/alicebob/miniredis/":   in("store/"),
	"github.com/rogpeppe/go-internal/": in("cmd/"),
}

func in(dir string) func(string) bool {
	return func(f string) bool { return strings.HasPrefix(f, dir) }
}
func is(file string) func(string) bool {
	// Its tests may look at what it does with the library.
	return func(f string) bool {
		return f == file || strings.HasSuffix(f, "_test.go") && path.Dir(f) == path.Dir(file)
	}
}

// TestLayers holds the folders to the design: whoever reads the folder list
// sees which way a vacancy goes, and that nothing goes back.
func TestLayers(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		files++
		file = filepath.ToSlash(file)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if isYardstick(file) && !strings.HasPrefix(imported, module) {
				continue
			}
			if fault := faultOf(file, imported); fault != "" {
				t.Errorf("%s imports %s: %s", file, imported, fault)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files were looked at: the test does not see the tree", files)
	}
}

// isYardstick reports whether a file measures our code against a library alone.
func isYardstick(file string) bool { return strings.HasPrefix(file, "cmd/vacancybench/") }

// faultOf says what is wrong with an import, "" for nothing.
func faultOf(file, imported string) string {
	room, _, ok := strings.Cut(file, "/")
	if !ok {
		return "" // a test of the whole tree
	}
	own, ok := layers[room]
	if !ok {
		return "the folder " + room + " is no room of the design"
	}
	if rest, ours := strings.CutPrefix(imported, module+"/"); ours {
		other, _, _ := strings.Cut(rest, "/")
		switch {
		case other != room && layers[other] >= own:
			return room + " is not above " + other
		case strings.HasPrefix(rest, "alerts/mailbox") && !strings.HasPrefix(file, "cmd/") && !strings.HasPrefix(file, "alerts/"),
			strings.HasPrefix(rest, "crawler/simulator") && !strings.HasPrefix(file, "cmd/") && !strings.HasPrefix(file, "crawler/simulator") && !strings.HasSuffix(file, "_test.go"):
			return "pretend sites and far sides are for commands and tests"
		}
		return ""
	}
	first, _, _ := strings.Cut(imported, "/")
	if room == "vacancy" && strings.Contains(first, ".") && !strings.HasSuffix(file, "_test.go") {
		return "vacancy uses the standard library only"
	}
	for library, home := range homes {
		if strings.HasPrefix(imported, library) && !home(file) {
			return "this library has its home elsewhere"
		}
	}
	return ""
}

// TestFaultOf shows that the test above can fail.
func TestFaultOf(t *testing.T) {
	for _, tt := range []struct {
		file, imported string
		bad            bool
	}{
		{"crawler/run.go", module + "/vacancy", false},
		{"crawler/run.go", module + "/crawler/page", false},
		{"crawler/run.go", module + "/alerts", true},
		{"alerts/dispatch.go", module + "/store", true},
		{"store/store.go", module + "/crawler", false},
		{"store/store.go", module + "/web", true},
		{"vacancy/day.go", "golang.org/x/text/unicode/norm", true},
		{"crawler/run.go", "github.com/gocolly/colly/v2", true},
		{"crawler/fetch.go", "github.com/gocolly/colly/v2", false},
		{"alerts/deliver.go", "github.com/redis/go-redis/v9", true},
		{"cmd/vacancywatch/demo.go", module + "/crawler/simulator", false},
		{"store/store.go", module + "/crawler/simulator", true},
		{"helpers/x.go", "fmt", true},
	} {
		if got := faultOf(tt.file, tt.imported); (got != "") != tt.bad {
			t.Errorf("%s imports %s: got fault %q, want one: %v", tt.file, tt.imported, got, tt.bad)
		}
	}
}
