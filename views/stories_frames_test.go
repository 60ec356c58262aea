package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func frameStories() []story {
	f := ui.Frame{Title: "payments / orders-dev", Theme: ui.Dark, Origins: []string{"https://backstage.example.com", "https://portal.example.com:7007"}}
	waits := ui.Frame{Title: "Connect to Slipway", Origins: f.Origins, Waits: true}
	nonce := "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo"
	view := urls.FrameEnvironment("payments", "orders-dev")
	changing := environment()
	changing.State, changing.Progress, changing.RunID = models.Changing, "Step 2 of 3: Change the stack", id1
	return []story{
		{"frame-environment", EnvironmentFrame(f, environment().ReadOnly())}, {"frame-environment-bare", EnvironmentFrame(ui.Frame{}, Environment{})},
		{"fragment-frame-environment", EnvironmentFrameContent(changing.ReadOnly())},
		{"frame-approvals", ApprovalsFramePage(f, ApprovalsFrame{Rows: queueRows(), All: 12})}, {"frame-approvals-empty", ApprovalsFramePage(f, ApprovalsFrame{})},
		{"frame-connect", FrameConnectPage(waits, FrameConnect{ConnectURL: urls.ConnectFrame(nonce, view), PageURL: urls.OutOfFrame(view), View: view})},
		{"frame-note", FrameNotePage(f, FrameNote{Title: "Not connected", Text: hostile + " " + long, Request: id1, Link: urls.Home, Word: "Open in Slipway", Again: view})},
		{"connect", ConnectPage(ui.Auto, Connect{Name: hostile, CSRF: "token", Nonce: nonce, View: view, PageURL: urls.OutOfFrame(view)})},
		{"connected", ConnectedPage(ui.Light, Connected{Code: nonce, PageURL: urls.OutOfFrame(view)})},
	}
}
