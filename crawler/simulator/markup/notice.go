package markup

import "encoding/json"

// Retired is the page that unknown addresses get, with status 200.
func Retired(token string) []byte {
	b := &buffer{}
	return b.frame("Service Domain Information", token, func() {
		b.line(`<h1 class="nhsuk-heading-xl">Service Domain Information</h1>`)
		b.line(`<p>The address leads nowhere: this page is no longer active.</p>`)
	})
}

// Refused is a short page for a status of 400 and above.
func Refused(status string) []byte {
	return []byte("<html>\n<head><title>" + esc(status) + "</title></head>\n<body>\n<h1>" + esc(status) + "</h1>\n</body>\n</html>\n")
}

// Login is a page that asks to sign in.
func Login(token string) []byte {
	b := &buffer{}
	return b.frame("Sign in - NHS Jobs", token, func() {
		b.line(`<h1 class="nhsuk-heading-xl">Sign in</h1>`)
		b.line(`<form method="post" action="/candidate/auth/login">`)
		b.linef(`  <input type="hidden" name="_csrf" value="%s">`, token)
		b.line(`  <input type="password" name="password">`)
		b.line(`</form>`)
	})
}

// JSONError is how the API reports an error.
func JSONError(status int, message string) []byte {
	body, err := json.Marshal(map[string]any{"status": status, "error": message})
	if err != nil {
		panic(err) // Unreachable: a number and a text.
	}
	return append(body, '\n')
}
