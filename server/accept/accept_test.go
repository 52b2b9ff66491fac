package accept

import "testing"

func TestQuality(t *testing.T) {
	for _, tt := range []struct {
		header, mediaType string
		want              float64
	}{
		{"", "text/html", 0},
		{"text/html", "text/html", 1},
		{"text/html;q=0.5, text/*;q=0.7, */*", "text/html", 0.5},
		{"text/html;q=0.5, text/*;q=0.7, */*", "text/plain", 0.7},
		{"text/html;q=0.5, text/*;q=0.7, *", "application/json", 1},
		{" TEXT/HTML ; level=1 ; Q = 0.25", "text/html", 0.25},
		{"text/html;q=7", "text/html", 1},
		{"text/html;q=-1", "text/html", 1},
		{"text/html;q=NaN", "text/html", 1},
		{"text/html;q=", "text/html", 1},
		{"text/html;q=0.000", "text/html", 0},
	} {
		if got := Quality(tt.header, tt.mediaType); got != tt.want {
			t.Errorf("%q of %q: %v, want %v", tt.mediaType, tt.header, got, tt.want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{" ,"}, true},
		{[]string{"application/json"}, true},
		{[]string{"*/*"}, true},
		{[]string{"text/html", "application/*;q=0.1"}, true},
		{[]string{"text/html"}, false},
		{[]string{"*/*", "application/json;q=0"}, false},
	} {
		if got := JSON(tt.values); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.values, got, tt.want)
		}
	}
}
