// SPDX-License-Identifier: Apache-2.0
// Serves bench.Echo with gRPC C++'s completion queues, one queue with a thread for each processor: queue_server --port P.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/echo.grpc.pb.h"

namespace bench {
namespace {

using grpc::ServerCompletionQueue;
using grpc::ServerContext;
using grpc::Status;

void Answer(const EchoRequest& request, EchoResponse* response) {
    response->set_payload(request.payload());
    response->set_name(request.name());
    response->set_id(request.id());
}

// One call, from waiting for it to its end; it is the tag of its events. Each call that begins makes the next one wait.
class Call {
public:
    Call(Echo::AsyncService* service, ServerCompletionQueue* queue) : service_(service), queue_(queue) {}
    virtual ~Call() = default;

    virtual void Wait() = 0;
    virtual void Proceed(bool ok) = 0;

protected:
    template <class Kind>
    bool Begin(bool ok) {
        if (!ok) {
            delete this;
            return false;
        }
        (new Kind(service_, queue_))->Wait();
        return true;
    }

    Echo::AsyncService* service_;
    ServerCompletionQueue* queue_;
    ServerContext context_;
};

class Unary final : public Call {
public:
    using Call::Call;

    void Wait() override { service_->RequestEcho(&context_, &request_, &writer_, queue_, queue_, this); }

    void Proceed(bool ok) override {
        if (ended_) {
            delete this;
            return;
        }
        if (!Begin<Unary>(ok)) return;
        ended_ = true;
        EchoResponse response;
        Answer(request_, &response);
        writer_.Finish(response, Status::OK, this);
    }

private:
    EchoRequest request_;
    grpc::ServerAsyncResponseWriter<EchoResponse> writer_{&context_};
    bool ended_ = false;
};

class Download final : public Call {
public:
    using Call::Call;

    void Wait() override { service_->RequestDownload(&context_, &request_, &writer_, queue_, queue_, this); }

    void Proceed(bool ok) override {
        if (left_ == kEnded || (left_ != kWaiting && !ok)) {
            delete this;
            return;
        }
        if (left_ == kWaiting) {
            if (!Begin<Download>(ok)) return;
            left_ = request_.count();
            message_.set_payload(std::string(request_.size(), '\0'));
        }
        if (left_-- > 0) return writer_.Write(message_, this);
        left_ = kEnded;
        writer_.Finish(Status::OK, this);
    }

private:
    static constexpr int kWaiting = -10, kEnded = -20;

    DownloadRequest request_;
    EchoResponse message_;
    grpc::ServerAsyncWriter<EchoResponse> writer_{&context_};
    int left_ = kWaiting;
};

class Upload final : public Call {
public:
    using Call::Call;

    void Wait() override { service_->RequestUpload(&context_, &reader_, queue_, queue_, this); }

    void Proceed(bool ok) override {
        switch (step_) {
            case Step::kWait:
                if (!Begin<Upload>(ok)) return;
                step_ = Step::kRead;
                return reader_.Read(&message_, this);
            case Step::kRead:
                if (ok) return Count();
                step_ = Step::kEnd;
                return reader_.Finish(summary_, Status::OK, this);
            case Step::kEnd:
                delete this;
        }
    }

private:
    void Count() {
        summary_.set_messages(summary_.messages() + 1);
        summary_.set_bytes(summary_.bytes() + message_.payload().size());
        reader_.Read(&message_, this);
    }

    enum class Step { kWait, kRead, kEnd } step_ = Step::kWait;
    EchoRequest message_;
    UploadSummary summary_;
    grpc::ServerAsyncReader<UploadSummary, EchoRequest> reader_{&context_};
};

class Chat final : public Call {
public:
    using Call::Call;

    void Wait() override { service_->RequestChat(&context_, &stream_, queue_, queue_, this); }

    void Proceed(bool ok) override {
        switch (step_) {
            case Step::kWait:
                if (!Begin<Chat>(ok)) return;
                return Read();
            case Step::kRead:
                if (!ok) return End(Status::OK);
                step_ = Step::kWrite;
                Answer(request_, &response_);
                return stream_.Write(response_, this);
            case Step::kWrite:
                return ok ? Read() : End(Status::CANCELLED);
            case Step::kEnd:
                delete this;
        }
    }

private:
    void Read() {
        step_ = Step::kRead;
        stream_.Read(&request_, this);
    }

    void End(const Status& status) {
        step_ = Step::kEnd;
        stream_.Finish(status, this);
    }

    enum class Step { kWait, kRead, kWrite, kEnd } step_ = Step::kWait;
    EchoRequest request_;
    EchoResponse response_;
    grpc::ServerAsyncReaderWriter<EchoResponse, EchoRequest> stream_{&context_};
};

void Run(Echo::AsyncService* service, ServerCompletionQueue* queue) {
    (new Unary(service, queue))->Wait();
    (new Download(service, queue))->Wait();
    (new Upload(service, queue))->Wait();
    (new Chat(service, queue))->Wait();
    void* tag;
    bool ok;
    while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->Proceed(ok);
}

int Serve(const std::string& port) {
    Echo::AsyncService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + port, grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(65 << 20);
    builder.SetMaxSendMessageSize(65 << 20);
    builder.RegisterService(&service);
    std::vector<std::unique_ptr<ServerCompletionQueue>> queues;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++)
        queues.push_back(builder.AddCompletionQueue());
    auto server = builder.BuildAndStart();
    if (!server) return 1;
    std::cout << "listening on 127.0.0.1:" << port << std::endl;
    std::vector<std::thread> threads;
    for (auto& queue : queues) threads.emplace_back(Run, &service, queue.get());
    for (auto& thread : threads) thread.join();
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
