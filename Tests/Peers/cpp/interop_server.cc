// SPDX-License-Identifier: Apache-2.0
// Serves gRPC's interop cases with gRPC C++ until standard input ends: interop_server [<chain> <key>], over TLS with
// the two files. Its first line of output is its port.
//
// Source: gRPC, Interoperability Test Case Descriptions, Server.

#include <chrono>
#include <functional>
#include <mutex>
#include <vector>

#include "interop.h"
#include "load.h"

namespace grpc::testing {
namespace {

using Write = std::function<bool(const StreamingOutputCallResponse&, WriteOptions)>;

void EchoMetadata(ServerContext* context) {
    for (const auto& [key, value] : context->client_metadata()) {
        if (key == kInitialKey) context->AddInitialMetadata(kInitialKey, {value.begin(), value.end()});
        if (key == kTrailingKey) context->AddTrailingMetadata(kTrailingKey, {value.begin(), value.end()});
    }
}

template <class Request>
bool HasStatus(const Request& request) {
    return request.has_response_status() && request.response_status().code() != 0;
}

Status ToStatus(const EchoStatus& status) { return Status(StatusCode(status.code()), status.message()); }

// A request came as its client believes, or it does not say.
template <class Request>
bool CameAsExpected(ServerContext& context, const Request& request) {
    return !request.has_expect_compressed() ||
           request.expect_compressed().value() == CameCompressed(context);
}

Status Mismatch() { return Status(StatusCode::INVALID_ARGUMENT, "the request did not come as expected"); }

// The whole response can be compressed; a message that shall not be says so when it is written.
void AllowCompression(ServerContext* context, const StreamingOutputCallRequest& request) {
    for (const auto& wanted : request.response_parameters()) {
        if (wanted.compressed().value()) context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
    }
}

Status Answer(const StreamingOutputCallRequest& request, const Write& write) {
    if (HasStatus(request)) return ToStatus(request.response_status());
    for (const auto& wanted : request.response_parameters()) {
        if (wanted.size() < 0) return Status(StatusCode::INVALID_ARGUMENT, "a negative size");
        std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
        StreamingOutputCallResponse response;
        response.mutable_payload()->set_body(Zeros(wanted.size()));
        WriteOptions options;
        if (!wanted.compressed().value()) options.set_no_compression();
        if (!write(response, options)) return Status(StatusCode::CANCELLED, "nobody reads");
    }
    return Status::OK;
}

class Service final : public TestService::Service {
   public:
    explicit Service(Reports& reports) : reports_(reports) {}

   private:
    using Stream = ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>;

    Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
        EchoMetadata(context);
        return Status::OK;
    }

    Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
        EchoMetadata(context);
        if (!CameAsExpected(*context, *request)) return Mismatch();
        if (request->has_orca_per_query_report()) {
            const auto report = ToReport(request->orca_per_query_report());
            context->AddTrailingMetadata(kReportKey, report.SerializeAsString());
        }
        if (HasStatus(*request)) return ToStatus(request->response_status());
        if (request->response_size() < 0) return Status(StatusCode::INVALID_ARGUMENT, "a negative size");
        if (request->response_compressed().value()) context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
        response->mutable_payload()->set_body(Zeros(request->response_size()));
        return Status::OK;
    }

    Status StreamingOutputCall(
        ServerContext* context, const StreamingOutputCallRequest* request,
        ServerWriter<StreamingOutputCallResponse>* writer) override {
        EchoMetadata(context);
        AllowCompression(context, *request);
        return Answer(*request, [&](const auto& response, auto options) { return writer->Write(response, options); });
    }

    Status StreamingInputCall(
        ServerContext* context, ServerReader<StreamingInputCallRequest>* reader,
        StreamingInputCallResponse* response) override {
        EchoMetadata(context);
        StreamingInputCallRequest request;
        int size = 0;
        while (reader->Read(&request)) {
            if (!CameAsExpected(*context, request)) return Mismatch();
            size += int(request.payload().body().size());
        }
        response->set_aggregated_payload_size(size);
        return Status::OK;
    }

    Status FullDuplexCall(ServerContext* context, Stream* stream) override {
        EchoMetadata(context);
        StreamingOutputCallRequest request;
        // One call at a time decides what is reported.
        std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
        while (stream->Read(&request)) {
            if (request.has_orca_oob_report()) {
                if (!turn.owns_lock()) turn.lock();
                reports_.Set(ToReport(request.orca_oob_report()));
            }
            auto write = [&](const auto& response, auto options) { return stream->Write(response, options); };
            if (Status status = Answer(request, write); !status.ok()) return status;
        }
        return Status::OK;
    }

    Status HalfDuplexCall(ServerContext* context, Stream* stream) override {
        EchoMetadata(context);
        std::vector<StreamingOutputCallRequest> requests;
        for (StreamingOutputCallRequest request; stream->Read(&request);) requests.push_back(request);
        for (const auto& request : requests) {
            auto write = [&](const auto& response, auto options) { return stream->Write(response, options); };
            if (Status status = Answer(request, write); !status.ok()) return status;
        }
        return Status::OK;
    }

    Reports& reports_;
    std::mutex turn_;
};

std::shared_ptr<ServerCredentials> Credentials(int count, char** arguments) {
    if (count < 3) return InsecureServerCredentials();
    SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({ReadFile(arguments[2]), ReadFile(arguments[1])});
    return SslServerCredentials(options);
}

void Serve(int count, char** arguments) {
    Reports reports;
    Service service(reports);
    int port = 0;
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", Credentials(count, arguments), &port);
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
