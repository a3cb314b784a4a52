// SPDX-License-Identifier: Apache-2.0
// Serves gRPC's empty call until standard input ends, and reports a load that never changes, with the end of each call
// and by a stream: load_server <calls a second> <utilization>. Its first line of output is its port.

#include "interop.h"
#include "load.h"

namespace grpc::testing {
namespace {

class Service final : public TestService::Service {
   public:
    explicit Service(const OrcaLoadReport& report) : report_(report.SerializeAsString()) {}

   private:
    Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
        context->AddTrailingMetadata(kReportKey, report_);
        return Status::OK;
    }

    const std::string report_;
};

void Serve(int count, char** arguments) {
    if (count != 3) Die("usage: load_server <calls a second> <utilization>");
    OrcaLoadReport report;
    report.set_rps_fractional(std::stod(arguments[1]));
    report.set_application_utilization(std::stod(arguments[2]));
    Service service(report);
    Reports reports;
    reports.Set(report);
    int port = 0;
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    builder.RegisterService(&reports);
    auto server = builder.BuildAndStart();
    if (!server) Die("the server does not start");
    std::cout << port << std::endl;
    WaitForEndOfInput();
    std::_Exit(0);
}

}  // namespace
}  // namespace grpc::testing

int main(int count, char** arguments) {
    setenv("GRPC_VERBOSITY", "NONE", 1);
    grpc::testing::Serve(count, arguments);
}
