package command

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"
)

// healthcheck asks /healthz of the process whose --ops is given. Containers from
// scratch have no other program that could.
func healthcheck(ctx context.Context, cmd *cli.Command) error {
	if err := NoArguments(cmd); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cmd.String(OpsFlag))
	if err != nil {
		return fmt.Errorf("--ops: %w; want HOST:PORT", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, port) + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
