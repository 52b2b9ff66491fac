package child

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"time"
)

const healthLimit = 2 * time.Second

// HTTP returns a health check: GET url answers with a status of 2xx.
func HTTP(url string) func() error {
	client := http.Client{Timeout: healthLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	return func() error {
		r, err := client.Get(url)
		if err != nil {
			return err
		}
		r.Body.Close()
		if r.StatusCode/100 != 2 {
			return fmt.Errorf("%s answers %s", url, r.Status)
		}
		return nil
	}
}

// TCP returns a health check: somebody accepts connections at the address.
func TCP(address string) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", address, healthLimit)
		if err == nil {
			c.Close()
		}
		return err
	}
}

// FreeAddress is an address of the loopback interface, 127.0.0.1:PORT, that nobody listens on now.
func FreeAddress() (string, error) {
	port, err := FreePort()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// FreePort is a TCP port of the loopback interface that nobody listens on now.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// ErrMissing is in the error of Find.
var ErrMissing = errors.New("not installed")

// Find returns the path of a binary that PATH has, or an error that names the package to install.
func Find(binary, pkg string) (string, error) {
	path, err := exec.LookPath(binary)
	if err != nil {
		return "", fmt.Errorf("%s is %w: it comes with the package %s", binary, ErrMissing, pkg)
	}
	return path, nil
}
