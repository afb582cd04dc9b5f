package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// An eximRelay is a real Exim on loopback that takes mails into its spool, each
// synced to the disk, and sends none of them on.
type eximRelay struct {
	relay
	log  string
	from int64 // where in the log what counts begins
	cmd  *exec.Cmd
}

// startExim starts one with its files in dir. The error says why there is none.
func startExim(ctx context.Context, dir string, cert *certificate) (*eximRelay, error) {
	path, err := exec.LookPath("exim4")
	if err != nil {
		return nil, errors.New("there is no exim4 on the PATH (Debian: apt-get install exim4-daemon-light)")
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("only root can have it listen")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	x := &eximRelay{log: filepath.Join(dir, "log", "mainlog"), relay: relay{host: "127.0.0.1", port: addr.Port, caFile: cert.file, trust: cert.pool}}
	// The certificate is copied, for Exim reads it as a user of its own. One
	// connection may bring any number of mails, as the bare library does.
	settings := fmt.Sprintf(`primary_hostname = relay.example
spool_directory = %[1]s/spool
split_spool_directory = true
log_file_path = %[1]s/log/%%slog
pid_file_path = %[1]s/spool/exim.pid
local_interfaces = 127.0.0.1
keep_environment =
tls_advertise_hosts = *
tls_certificate = %[1]s/tls/relay.pem
tls_privatekey = %[1]s/tls/relay.key
smtp_accept_max_per_connection = 1000000
queue_only = true
acl_smtp_rcpt = accept
acl_smtp_data = accept
`, dir)
	for _, sub := range []string{"spool", "log", "tls"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	for from, to := range map[string]string{cert.file: "relay.pem", cert.keyFile: "relay.key"} {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "tls", to), b, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := giveToExim(dir); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "exim.conf")
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		return nil, err
	}
	x.cmd = exec.CommandContext(ctx, path, "-C", config, "-bdf", "-oX", addr.String())
	if err := x.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Exim: %w", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		c, err := net.DialTimeout("tcp", addr.String(), time.Second)
		if err == nil {
			c.Close()
			return x, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("it does not answer: %w", err), x.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// giveToExim makes Exim's own user the owner of what it writes and reads, and
// lets it reach that.
func giveToExim(dir string) error {
	for _, name := range []string{"Debian-exim", "exim"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return err
		}
		if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o711); err != nil {
			return err
		}
		return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			return os.Chown(path, uid, -1)
		})
	}
	return errors.New("it has no user of its own here")
}

// Close ends it.
func (x *eximRelay) Close() error {
	err := x.cmd.Process.Kill()
	_ = x.cmd.Wait() // says that it was killed
	return err
}

// skip forgets all that came so far.
func (x *eximRelay) skip() error {
	info, err := os.Stat(x.log)
	if err != nil {
		return err
	}
	x.from = info.Size()
	return nil
}

// counts reads in its log how many mails came, and how many of them again.
func (x *eximRelay) counts() (came, again int, err error) {
	f, err := os.Open(x.log)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if _, err := f.Seek(x.from, io.SeekStart); err != nil {
		return 0, 0, err
	}
	seen := map[string]bool{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		_, rest, ok := strings.Cut(sc.Text(), " <= ")
		if !ok {
			continue
		}
		from, _, _ := strings.Cut(rest, " ")
		if seen[from] {
			again++
		}
		seen[from] = true
	}
	return len(seen), again, sc.Err()
}
