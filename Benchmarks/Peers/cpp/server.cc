// SPDX-License-Identifier: Apache-2.0
// Serves bench.Echo with gRPC C++'s callback API: server --port P.

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "bench/echo.grpc.pb.h"

namespace bench {
namespace {

using grpc::CallbackServerContext;
using grpc::Status;

void Answer(const EchoRequest& request, EchoResponse* response) {
    response->set_payload(request.payload());
    response->set_name(request.name());
    response->set_id(request.id());
}

class Downloader final : public grpc::ServerWriteReactor<EchoResponse> {
public:
    explicit Downloader(const DownloadRequest& request) : left_(request.count()) {
        message_.set_payload(std::string(request.size(), '\0'));
        Next();
    }

    void OnWriteDone(bool ok) override {
        if (ok) {
            Next();
        } else {
            Finish(Status::CANCELLED);
        }
    }

    void OnDone() override { delete this; }

private:
    void Next() {
        if (left_-- > 0) {
            StartWrite(&message_);
        } else {
            Finish(Status::OK);
        }
    }

    int left_;
    EchoResponse message_;
};

class Uploader final : public grpc::ServerReadReactor<EchoRequest> {
public:
    explicit Uploader(UploadSummary* summary) : summary_(summary) { StartRead(&message_); }

    void OnReadDone(bool ok) override {
        if (!ok) return Finish(Status::OK);
        summary_->set_messages(summary_->messages() + 1);
        summary_->set_bytes(summary_->bytes() + message_.payload().size());
        StartRead(&message_);
    }

    void OnDone() override { delete this; }

private:
    UploadSummary* summary_;
    EchoRequest message_;
};

class Chatter final : public grpc::ServerBidiReactor<EchoRequest, EchoResponse> {
public:
    Chatter() { StartRead(&request_); }

    void OnReadDone(bool ok) override {
        if (!ok) return Finish(Status::OK);
        Answer(request_, &response_);
        StartWrite(&response_);
    }

    void OnWriteDone(bool ok) override {
        if (ok) {
            StartRead(&request_);
        } else {
            Finish(Status::CANCELLED);
        }
    }

    void OnDone() override { delete this; }

private:
    EchoRequest request_;
    EchoResponse response_;
};

class Service final : public Echo::CallbackService {
    grpc::ServerUnaryReactor* Echo(
        CallbackServerContext* context, const EchoRequest* request, EchoResponse* response) override {
        Answer(*request, response);
        auto* reactor = context->DefaultReactor();
        reactor->Finish(Status::OK);
        return reactor;
    }

    grpc::ServerWriteReactor<EchoResponse>* Download(
        CallbackServerContext*, const DownloadRequest* request) override {
        return new Downloader(*request);
    }

    grpc::ServerReadReactor<EchoRequest>* Upload(CallbackServerContext*, UploadSummary* summary) override {
        return new Uploader(summary);
    }

    grpc::ServerBidiReactor<EchoRequest, EchoResponse>* Chat(CallbackServerContext*) override {
        return new Chatter();
    }
};

int Serve(const std::string& port) {
    Service service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + port, grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(65 << 20);
    builder.SetMaxSendMessageSize(65 << 20);
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    if (!server) return 1;
    std::cout << "listening on 127.0.0.1:" << port << std::endl;
    server->Wait();
    return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    if (argc != 3 || std::strcmp(argv[1], "--port") != 0) {
        std::cerr << "usage: " << argv[0] << " --port P" << std::endl;
        return 2;
    }
    return bench::Serve(argv[2]);
}
