package quarantine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLimits(t *testing.T) {
	f, c := open(t)
	entry := func(source string, defects ...string) Entry { return Entry{Source: source, Defects: defects} }
	first := keep(t, f, "", entry("a", "order"))
	c.at = c.at.Add(time.Hour)
	other := keep(t, f, "", entry("a", "total", "order"))
	var flood []string
	for range 30 {
		c.at = c.at.Add(time.Minute)
		flood = append(flood, keep(t, f, "", entry("a", "order")))
	}
	// The first of the flood and the other one stay, with the nine latest.
	want := append([]string{first, other}, flood[len(flood)-MaxAlike+1:]...)
	if diff := cmp.Diff(want, names(t, f)); diff != "" {
		t.Errorf("after a flood (-want +got):\n%s", diff)
	}

	// Many kinds: the first and the latest of each stay as long as that goes.
	for i := range 2 * MaxFiles {
		c.at = c.at.Add(time.Minute)
		keep(t, f, "", entry(fmt.Sprintf("b%d", i%20), "short"))
	}
	got := names(t, f)
	if len(got) != MaxFiles {
		t.Fatalf("%d files, want %d", len(got), MaxFiles)
	}
	if got[0] != first || got[1] != other {
		t.Errorf("the first files are %q, want %q and %q", got[:2], first, other)
	}
	kinds := map[string]int{}
	for _, name := range got {
		k, _ := parseName(name)
		kinds[k.source]++
	}
	for i := range 20 {
		if n := kinds[fmt.Sprintf("b%d", i)]; n < 2 {
			t.Errorf("%d files of b%d, want its first and latest", n, i)
		}
	}

	// More kinds than places: the oldest leave after all, the newest never.
	var last string
	for i := range MaxFiles + 5 {
		c.at = c.at.Add(time.Minute)
		last = keep(t, f, "", entry(fmt.Sprintf("c%d", i), "short"))
	}
	if got := names(t, f); len(got) != MaxFiles || got[len(got)-1] != last {
		t.Errorf("%d files, the last is %s; want %d and %s", len(got), got[len(got)-1], MaxFiles, last)
	}

	// Age takes all.
	c.at = c.at.Add(MaxAge)
	if got := len(names(t, f)); got != MaxFiles {
		t.Errorf("%d files before any is past its age", got)
	}
	c.at = c.at.Add(time.Minute)
	if err := f.Expire(); err != nil {
		t.Fatal(err)
	}
	if files, bytes := f.Stats(); files != 0 || bytes != 0 {
		t.Errorf("%d files of %d bytes are past their age", files, bytes)
	}
}

// TestSize fills the folder with large files.
func TestSize(t *testing.T) {
	f, c := open(t)
	first := keep(t, f, "", Entry{Source: "a"})
	for range 16 {
		c.at = c.at.Add(time.Second)
		large := filepath.Join(f.dir, nameOf(Entry{At: c.at, Source: "a"}, 1))
		if err := os.WriteFile(large, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(large, 4<<20); err != nil {
			t.Fatal(err)
		}
	}
	c.at = c.at.Add(time.Second)
	last := keep(t, f, "", Entry{Source: "b"})
	files, bytes := f.Stats()
	if bytes > MaxBytes || bytes < MaxBytes-4<<20 || files != 2+12 {
		t.Errorf("%d files of %d bytes are left", files, bytes)
	}
	all, err := f.files()
	if err != nil || all[0].name != first || all[len(all)-1].name != last {
		t.Errorf("from %s to %s are left, want from %s to %s: %v", all[0].name, all[len(all)-1].name, first, last, err)
	}
}

func TestLeaving(t *testing.T) {
	at := func(minute int, source string) kept {
		k, ok := parseName(nameOf(Entry{At: start.Add(time.Duration(minute) * time.Minute), Source: source}, 1))
		if !ok {
			t.Fatal("nameOf makes what parseName does not read")
		}
		return k
	}
	// A page older than all others is kept all the same.
	var files []kept
	for i := range MaxFiles {
		files = append(files, at(i, fmt.Sprint("s", i)))
	}
	own := at(-5, "old")
	got := leaving(files, own, start)
	if len(got) != 1 || got[0] != files[0] {
		t.Errorf("%v leave, want the oldest but the new one", got)
	}
	// One that is the oldest of a full kind.
	files = nil
	for i := range MaxAlike {
		files = append(files, at(i, "s"))
	}
	if got = leaving(files, at(-5, "s"), start); len(got) != 1 || got[0] != files[0] {
		t.Errorf("%v leave, want the second of its kind", got)
	}
}

func TestParseName(t *testing.T) {
	for _, name := range []string{"", ending, "x" + ending, "20260909T160000.000000000Z_a" + ending, "20260909T160000.000000000Z_a_b.gz", "20260909T160000.000000000Z_a_B" + ending,
		"20260909T160000.000000000Z_a_b_1" + ending, "20260909T160000.000000000Z_a_b_x" + ending, "20260909T160000.000000000Z_a_b_2_3" + ending, "20261309T160000.000000000Z_a_b" + ending} {
		if k, ok := parseName(name); ok {
			t.Errorf("%q is read as %+v", name, k)
		}
	}
	for _, s := range []string{"../../etc/passwd", "a_b", "", "-", strings.Repeat("ü", 100), "a\x00b\n"} {
		name := nameOf(Entry{At: start, Source: s, Defects: []string{s}}, 3)
		if _, ok := parseName(name); !ok || strings.ContainsAny(name, "/\\ \x00\n") || len(name) > 150 {
			t.Errorf("%q makes the name %q", s, name)
		}
	}
}
