package awssim

import (
	"fmt"
	"strings"
	"time"

	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// logLine is one event of a log stream.
type logLine struct {
	at   time.Time
	text string
}

// mostOfLine is how much of a line CodeBuild puts into one event; the rest follows in others.
const mostOfLine = 256 << 10

// lines are what a build has said by a moment. They follow from the build alone: asked again,
// the log is the same, only longer.
func (b *build) lines(now time.Time) []logLine {
	var out []logLine
	for _, p := range b.Phases {
		if p.Start.After(now) {
			break
		}
		said := b.says(p)
		span := p.End.Sub(p.Start)
		if p.Status == cbtypes.StatusTypeTimedOut {
			span /= 50 // and then nothing
		}
		for i, text := range said {
			at := p.Start.Add(span * time.Duration(i) / time.Duration(len(said)+1)).Truncate(time.Millisecond)
			if at.After(now) {
				return out
			}
			out = appendLine(out, at, text)
		}
		if p.Kind == cbtypes.BuildPhaseTypeCompleted || p.End.After(now) {
			break
		}
		if p.Kind == cbtypes.BuildPhaseTypeSubmitted || p.Kind == cbtypes.BuildPhaseTypeQueued || p.Kind == cbtypes.BuildPhaseTypeProvisioning {
			continue // there is no container yet that could speak
		}
		for _, text := range []string{fmt.Sprintf("Phase complete: %s State: %s", p.Kind, p.Status), fmt.Sprintf("Phase context status code: %s Message: %s", p.Code, p.Message)} {
			out = appendLine(out, p.End, container(p.End, text))
		}
	}
	return out
}

func appendLine(out []logLine, at time.Time, text string) []logLine {
	for len(text) > mostOfLine {
		out = append(out, logLine{at, text[:mostOfLine]})
		text = text[mostOfLine:]
	}
	return append(out, logLine{at, text + "\n"})
}

// container is a line of CodeBuild's own.
func container(at time.Time, text string) string {
	return "[Container] " + at.UTC().Format("2006/01/02 15:04:05.000000") + " " + text
}

// says is what a phase prints, line by line.
func (b *build) says(p *buildPhase) []string {
	runs := func(command string) string { return container(p.Start, "Running command "+command) }
	commit := "unknown"
	if b.Commit != nil {
		commit = b.Commit.ID
	}
	switch p.Kind {
	case cbtypes.BuildPhaseTypeDownloadSource:
		return []string{container(p.Start, "Waiting for agent ping"), container(p.Start, "Waiting for DOWNLOAD_SOURCE"), container(p.Start, "Phase is DOWNLOAD_SOURCE"),
			container(p.Start, "CODEBUILD_SRC_DIR=/codebuild/output/src"+b.ID[len(b.ID)-9:]+"/src"), container(p.Start, "YAML location is /codebuild/readonly/buildspec.yml"), container(p.Start, "Processing environment variables")}
	case cbtypes.BuildPhaseTypeInstall:
		return []string{container(p.Start, "Entering phase INSTALL"), runs("go version"), "go version go1.26.1 linux/arm64", runs("go mod download")}
	case cbtypes.BuildPhaseTypePreBuild:
		return []string{container(p.Start, "Entering phase PRE_BUILD"), runs("aws ecr get-login-password | docker login --username AWS --password-stdin " + hostOf(b.env("REPOSITORY_URI"))), "Login Succeeded",
			runs("echo Building commit " + commit), "Building commit " + commit}
	case cbtypes.BuildPhaseTypeBuild:
		return append([]string{container(p.Start, "Entering phase BUILD"), runs("go vet ./..."), runs("go test ./...")}, b.tests(p)...)
	case cbtypes.BuildPhaseTypePostBuild:
		return append([]string{container(p.Start, "Entering phase POST_BUILD")}, b.pushes(runs)...)
	case cbtypes.BuildPhaseTypeUploadArtifacts:
		return []string{container(p.Start, "Expanding base directory path: ."), container(p.Start, "Assembling file list"), container(p.Start, "Found 1 file(s)")}
	}
	return nil
}

func hostOf(uri string) string {
	host, _, _ := strings.Cut(uri, "/")
	return host
}

// tests are the tests of a small shop, and the build of its image when they pass.
func (b *build) tests(p *buildPhase) []string {
	rnd := random(b.ARN, "tests")
	var out []string
	for _, name := range []string{"basket", "catalog", "checkout", "customers", "invoices", "mail", "payments", "prices", "returns", "search", "stock", "taxes"} {
		if b.Plays == playsTests && name == "payments" {
			out = append(out, "--- FAIL: TestRefundIsPaidOnce (0.02s)", "    refund_test.go:57: paid 2 times, want once", "    --- FAIL: TestRefundIsPaidOnce/second_click (0.01s)", "        refund_test.go:71: got status 200, want 409",
				"FAIL", fmt.Sprintf("FAIL\tshop/payments\t%.3fs", 0.1+rnd.Float64()))
			continue
		}
		out = append(out, fmt.Sprintf("ok  \tshop/%s\t%.3fs\tcoverage: %.1f%% of statements", name, 0.05+rnd.Float64(), 61+30*rnd.Float64()))
	}
	switch b.Plays {
	case playsTests:
		return append(out, "FAIL", container(p.End, "Command did not exit successfully go test ./... exit status 1"))
	case playsHang:
		return append(out[:5], "=== RUN   TestWaitsForTheDatabase")
	case playsHostile:
		out = append(out, hostile()...)
	}
	out = append(out, container(p.Start, "Running command docker build --tag "+b.env("REPOSITORY_URI")+" ."), "#0 building with \"default\" instance using docker driver", "#1 [internal] load build definition from Dockerfile")
	for i, step := range []string{"FROM gcr.io/distroless/static-debian12:nonroot", "COPY --from=build /src/shop /shop", "USER 65532:65532", `ENTRYPOINT ["/shop"]`} {
		out = append(out, fmt.Sprintf("#%d [stage-1 %d/4] %s", i+5, i+1, step), fmt.Sprintf("#%d DONE %.1fs", i+5, 0.1+2*rnd.Float64()))
	}
	return append(out, "#9 exporting to image", "#9 DONE 1.4s")
}

// hostile is what a log must not do to its reader: escape codes, markup, control characters, a
// line of megabytes.
func hostile() []string {
	return []string{
		"\x1b[31mred\x1b[0m \x1b[1;5;7mblinking\x1b[0m \x1b]0;a new title\x07 \x1b[2J\x1b[H\x1b[?25l cleared",
		"<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
		"</pre></div><form action=\"https://evil.example/\"><button>Sign in</button></form>",
		"bell \x07 backspace \b\b\b form feed \f vertical tab \v null \x00 delete \x7f",
		"\u202edetrevni si siht\u202c zero\u200bwidth Z\u0341\u0342\u0343\u0344a\u0341\u0342\u0343lgo",
		"progress 1%\rprogress 50%\rprogress 100%",
		"broken UTF-8: \xff\xfe\xc3\x28",
		strings.Repeat("0123456789abcdef", 3<<16), // three megabytes on one line
	}
}

// pushes is what the registry says.
func (b *build) pushes(runs func(string) string) []string {
	i := b.Image
	switch {
	case b.Outcome == cbtypes.StatusTypeFailed && (i == nil || i.Refused == ""):
		return []string{runs("test \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 || echo The build failed, nothing is pushed"), "The build failed, nothing is pushed"}
	case i == nil:
		return []string{runs("echo There is no REPOSITORY_URI, nothing is pushed"), "There is no REPOSITORY_URI, nothing is pushed"}
	}
	uri := registry(i.Account, i.Region) + "/" + i.Repository
	out := []string{runs("docker push " + uri + ":" + i.Tag), "The push refers to repository [" + uri + "]"}
	if i.Refused != "" {
		return append(out, i.Refused, runs("exit 1"))
	}
	rnd := random(b.ARN, "layers")
	for range 4 {
		out = append(out, fmt.Sprintf("%012x: Pushed", rnd.Uint64()>>16))
	}
	return append(out, fmt.Sprintf("%s: digest: %s size: 1469", i.Tag, digestOf(i.Manifest)))
}
