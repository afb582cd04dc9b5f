package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// The tests below that need a process to kill, or to limit, run this binary
// again with childVar set to what it should do.
const childVar = "ENGINE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch job, path, _ := strings.Cut(os.Getenv(childVar), " "); job {
	case "":
		os.Exit(m.Run())
	case "write":
		childWrite(path)
	case "fill":
		childFill(path)
	}
}

func child(t *testing.T, job, path string, wrap ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childVar+"="+job+" "+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// childWrite writes numbers from two goroutines and prints each once it is
// acknowledged.
func childWrite(path string) {
	b, err := engine.OpenBolt(path, engine.BoltOptions{Warn: func(s string) { fmt.Println("warning", s) }})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	for w := range 2 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				if err := b.Update(context.Background(), slot, func(tx engine.Tx) error {
					tx.HSet("{t:00}:h", name, []byte(name))
					tx.ZAdd("{t:00}:z", engine.Z{Member: name, Score: float64(i)})
					return add(tx)
				}); err != nil {
					fmt.Println("error", err)
					return
				}
				_, _ = fmt.Fprintln(os.Stdout, "ack", name) // one write
			}
		}()
	}
	select {}
}

// A process killed in the middle of writing has lost nothing it was told is
// stored, and has left no step half done.
func TestBoltKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no kill -9 there")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	acked := map[string]bool{}
	const rounds = 8
	for range rounds {
		cmd := child(t, "write", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		killAt := 20 + rand.IntN(100)
		for n := 0; lines.Scan(); n++ {
			kind, rest, _ := strings.Cut(lines.Text(), " ")
			if kind != "ack" {
				t.Errorf("the child said: %s", lines.Text())
				continue
			}
			acked[rest] = true
			if n == killAt {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()

		b := openBolt(t, path, engine.BoltOptions{Warn: func(s string) { t.Errorf("warning: %s", s) }})
		lost := 0
		for name := range acked {
			if value(t, b, name) != name {
				lost++
			}
		}
		h, z := &engine.HLen{Key: "{t:00}:h"}, &engine.ZCard{Key: "{t:00}:z"}
		if err := b.Read(t.Context(), slot, h, z); err != nil {
			t.Fatal(err)
		}
		if lost > 0 || h.N != z.N || h.N != count(t, b) || h.N < len(acked) {
			t.Errorf("lost %d of %d; %d fields, %d members, count %d", lost, len(acked), h.N, z.N, count(t, b))
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d acknowledged, none lost", rounds, len(acked))
}

// childFill writes until the disk, as the limit of a file makes it, is full,
// and then shows that everything before that is still there.
func childFill(path string) {
	signal.Ignore(syscall.Signal(25)) // SIGXFSZ, by number for Windows: writes fail instead.
	b, err := engine.OpenBolt(path, engine.BoltOptions{Warn: func(s string) { fmt.Println("warning", s) }})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	put := func(i, size int) error {
		return b.Update(context.Background(), slot, func(tx engine.Tx) error {
			tx.HSet("{t:00}:h", fmt.Sprint(i), make([]byte, size))
			return add(tx)
		})
	}
	n := 0
	for ; n < 10_000; n++ {
		if err = put(n, 50_000); err != nil {
			break
		}
	}
	fmt.Println("full after", n, "unknown", errors.Is(err, engine.ErrUnknown), "damaged", errors.Is(err, engine.ErrDamaged), "err", err)
	again := put(n, 50_000)
	size, get := &engine.HLen{Key: "{t:00}:h"}, &engine.HGet{Key: counter, Field: "n"}
	fmt.Println("again", again != nil, "read", b.Read(context.Background(), slot, size, get))
	fmt.Println("kept", size.N == n && string(get.Val) == fmt.Sprint(n))
	fmt.Println("close", b.Close())
}

func TestBoltFullDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no ulimit there")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	out, err := child(t, "fill", path, "sh", "-c", `ulimit -f 65536; exec "$0"`).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := string(out)
	for _, want := range []string{"unknown false damaged false err", "again true read <nil>", "kept true", "close <nil>"} {
		if !strings.Contains(got, want) {
			t.Errorf("the child did not say %q but:\n%s", want, got)
		}
	}
	var w warnings
	b := openBolt(t, path, engine.BoltOptions{Warn: w.add})
	w.want(t)
	n := count(t, b)
	if err := b.Update(t.Context(), slot, add); err != nil { // There is room again.
		t.Fatal(err)
	}
	if n == 0 || count(t, b) != n+1 {
		t.Errorf("got count %d, and %d after another step", n, count(t, b))
	}
}
