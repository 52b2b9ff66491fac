package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	shotWidth  = 1000
	shotHeight = 1400
)

// browser is Chromium's command. Where tests must be complete, a missing one is a failure; scripts/setup installs it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium: scripts/setup installs it")
	}
	t.Log("no chromium: the page was not opened; scripts/setup installs it")
	return ""
}

// open has the browser do something with a page and gives what it prints. Nothing but the page can be reached.
func open(t *testing.T, command, page string, more ...string) []byte {
	t.Helper()
	args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars",
		"--user-data-dir=" + t.TempDir()}, more...)
	cmd := exec.Command(command, append(args, "file://"+page)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	return out
}

func writePage(t *testing.T) (path, text string) {
	t.Helper()
	var b strings.Builder
	if err := sample(t).HTML(&b); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, b.String()
}

// TestPageNeedsNothingElse: it is one file, and what results say is text in it.
func TestPageNeedsNothingElse(t *testing.T) {
	_, text := writePage(t)
	for _, bad := range []string{"://", "src=", "url(", "@import", "<link", "<script", "<b>", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	for _, href := range regexp.MustCompile(`href="[^"]*"`).FindAllString(text, -1) {
		if !strings.HasPrefix(href, `href="#`) {
			t.Errorf("the page leads elsewhere: %s", href)
		}
	}
}

// TestPageInBrowser looks at what a browser makes of the page.
func TestPageInBrowser(t *testing.T) {
	command := browser(t)
	if command == "" {
		return
	}
	path, _ := writePage(t)
	p := sample(t).build()
	dom := string(open(t, command, path, "--dump-dom"))
	charts := 0
	for _, s := range p.Sections {
		charts += len(s.Charts)
		for _, c := range s.Charts {
			if !strings.Contains(dom, fmt.Sprintf(`id="%s-d"`, c.ID)) {
				t.Errorf("chart %s is not in the page", c.ID)
			}
		}
		for _, table := range s.Tables {
			for _, row := range table.Rows {
				for _, c := range row {
					if !strings.Contains(dom, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(c.Text)) {
						t.Errorf("%s: the page lacks %q", s.ID, c.Text)
					}
				}
			}
		}
	}
	if n := strings.Count(dom, `<svg role="img"`); n != charts || charts < 8 {
		t.Errorf("%d charts in the page, %d made", n, charts)
	}
	light, dark := shoot(t, command, path, "light.png"), shoot(t, command, path, "dark.png", "--blink-settings=preferredColorScheme=0")
	if brightness(light.At(2, 2)) < 0xc000 || brightness(dark.At(2, 2)) > 0x4000 {
		t.Errorf("light is %v, dark %v", light.At(2, 2), dark.At(2, 2))
	}
}

func brightness(c color.Color) uint32 {
	r, g, b, _ := c.RGBA()
	return (r + g + b) / 3
}

// shoot takes a picture of the page, which must be one of the size asked for and of many colours.
func shoot(t *testing.T, command, page, name string, more ...string) image.Image {
	t.Helper()
	shot := filepath.Join(t.TempDir(), name)
	open(t, command, page, append(more, "--screenshot="+shot, fmt.Sprintf("--window-size=%d,%d", shotWidth, shotHeight))...)
	f, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, kind, err := image.Decode(f)
	if err != nil || kind != "png" || picture.Bounds().Dx() != shotWidth || picture.Bounds().Dy() != shotHeight {
		t.Fatalf("%s: a %s, %v", name, kind, err)
	}
	colours := map[color.Color]bool{}
	for y := 0; y < shotHeight; y += 3 {
		for x := 0; x < shotWidth; x += 3 {
			colours[picture.At(x, y)] = true
		}
	}
	if len(colours) < 20 {
		t.Errorf("%s has %d colours", name, len(colours))
	}
	return picture
}
