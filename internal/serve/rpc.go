package serve

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
)

// MountHealthAndReflection adds gRPC health and server reflection for the named
// services to a mux, so that orchestrators can ask for them and `buf curl` needs
// no schema. The empty service name asks for all checks together.
func MountHealthAndReflection(mux *http.ServeMux, services []string, checks ...Check) {
	known := make(map[string]bool, len(services))
	for _, service := range services {
		known[service] = true
	}
	mux.Handle(grpchealth.NewHandler(health{known: known, checks: checks}))
	reflector := grpcreflect.NewStaticReflector(append(services, grpchealth.HealthV1ServiceName)...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))
}

type health struct {
	known  map[string]bool
	checks []Check
}

func (h health) Check(_ context.Context, r *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if r.Service != "" && !h.known[r.Service] {
		return nil, connect.NewError(connect.CodeNotFound, unknownServiceError(r.Service))
	}
	status := grpchealth.StatusServing
	for _, check := range h.checks {
		if check.Ready() != nil {
			status = grpchealth.StatusNotServing
		}
	}
	return &grpchealth.CheckResponse{Status: status}, nil
}

type unknownServiceError string

func (e unknownServiceError) Error() string {
	return "unknown service " + string(e) + "; reflection lists the known ones"
}
