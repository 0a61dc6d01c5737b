// go get github.com/testcontainers/testcontainers-go@v0.37.0 (or newer)
package history

import (
	"context"
	"net/http"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const token = "control-api"

func TestFirstPage(t *testing.T) {
	ctx := context.Background()
	mock, err := testcontainers.Run(ctx, "gptbots-mock:0.1.0",
		testcontainers.WithEnv(map[string]string{"GPTBOTS_MOCK_ADMIN_TOKEN": token}),
		testcontainers.WithExposedPorts("8484/tcp"),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/__admin/health").WithPort("8484/tcp")),
	)
	testcontainers.CleanupContainer(t, mock)
	if err != nil {
		t.Fatal(err)
	}
	url, err := mock.PortEndpoint(ctx, "8484/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}
	query := "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10"
	// The part of the key after ~ is the id of this test's sandbox.
	ask(t, url+"/v1/bot/conversation/page?"+query, "app-demo~first-page")
	ask(t, url+"/__admin/sandboxes/first-page", token)
}

func ask(t *testing.T, url, key string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: got %s", url, response.Status)
	}
}
