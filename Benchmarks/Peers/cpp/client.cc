// SPDX-License-Identifier: Apache-2.0
// A closed loop of calls of bench.Echo with gRPC C++'s completion queues. Flags and output: Limit/loadgen.h.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/echo.grpc.pb.h"
#include "loadgen.h"

namespace bench {
namespace {

using grpc::ClientContext;
using grpc::CompletionQueue;
using grpc::Status;

enum class Phase { kWarmUp, kMeasurement, kOver };

std::atomic<Phase> phase{Phase::kWarmUp};
lg_options options;

// What the lanes of one thread have seen.
struct Tally {
    lg_histogram latency{};
    uint64_t operations = 0, calls = 0, errors = 0;

    void Count(uint64_t count) {
        if (phase.load(std::memory_order_relaxed) == Phase::kMeasurement) operations += count;
    }

    void Record(uint64_t start) {
        if (phase.load(std::memory_order_relaxed) != Phase::kMeasurement) return;
        calls++;
        lg_record(&latency, lg_now() - start);
    }

    void Fail(const std::string& text) {
        if (errors++ < 5) std::cerr << "client: " << text << std::endl;
        if (errors > 1000) std::_Exit(1);
    }
};

// One call after the other. It is the tag of all its events: never more than one is on its way.
class Lane {
public:
    Lane(const std::shared_ptr<grpc::Channel>& channel, CompletionQueue* queue, Tally* tally, uint64_t first_id)
        : stub_(Echo::NewStub(channel)), queue_(queue), tally_(tally), id_(first_id) {
        request_.set_payload(std::string(options.payload, 'x'));
        request_.set_name(LG_NAME);
    }
    virtual ~Lane() = default;

    virtual void Begin() = 0;
    virtual void Proceed(bool ok) = 0;

protected:
    void NextRequest() {
        request_.set_id(++id_);
        start_ = lg_now();
    }

    void Check(const EchoResponse& reply) {
        if (reply.id() != int64_t(id_) || reply.name() != LG_NAME || reply.payload().size() != options.payload)
            tally_->Fail("not what was sent");
    }

    // The call before lives in its context: it must be gone.
    void NewCall() {
        context_.emplace();
        status_ = Status();
        start_ = lg_now();
    }

    void Ended() {
        if (!status_.ok()) tally_->Fail(status_.error_message());
        tally_->Record(start_);
    }

    std::unique_ptr<Echo::Stub> stub_;
    CompletionQueue* queue_;
    Tally* tally_;
    uint64_t id_, start_ = 0;
    std::optional<ClientContext> context_;
    Status status_;
    EchoRequest request_;
};

class Unary final : public Lane {
    using Lane::Lane;

    void Begin() override {
        call_.reset();
        NewCall();
        NextRequest();
        call_ = stub_->AsyncEcho(&*context_, request_, queue_);
        call_->Finish(&reply_, &status_, this);
    }

    void Proceed(bool) override {
        if (status_.ok()) Check(reply_);
        Ended();
        tally_->Count(1);
        Begin();
    }

    EchoResponse reply_;
    std::unique_ptr<grpc::ClientAsyncResponseReader<EchoResponse>> call_;
};

class Chat final : public Lane {
    using Lane::Lane;

    void Begin() override {
        call_.reset();
        NewCall();
        call_ = stub_->AsyncChat(&*context_, queue_, this);
        step_ = Step::kWrite;
    }

    void Proceed(bool ok) override {
        if (!ok) return tally_->Fail("the chat ended early");
        switch (step_) {
            case Step::kCheck:
                Check(reply_);
                tally_->Count(1);
                tally_->Record(start_);
                [[fallthrough]];
            case Step::kWrite:
                NextRequest();
                step_ = Step::kRead;
                return call_->Write(request_, this);
            case Step::kRead:
                step_ = Step::kCheck;
                return call_->Read(&reply_, this);
        }
    }

    enum class Step { kWrite, kRead, kCheck } step_ = Step::kWrite;
    EchoResponse reply_;
    std::unique_ptr<grpc::ClientAsyncReaderWriter<EchoRequest, EchoResponse>> call_;
};

class Download final : public Lane {
    using Lane::Lane;

    void Begin() override {
        call_.reset();
        NewCall();
        DownloadRequest wanted;
        wanted.set_count(LG_STREAM_MESSAGES);
        wanted.set_size(int32_t(options.payload));
        messages_ = -1;
        finishing_ = false;
        call_ = stub_->AsyncDownload(&*context_, wanted, queue_, this);
    }

    void Proceed(bool ok) override {
        if (finishing_) return Finished();
        if (!ok) {
            finishing_ = true;
            return call_->Finish(&status_, this);
        }
        if (++messages_ > 0) Received();
        call_->Read(&reply_, this);
    }

    void Received() {
        if (reply_.payload().size() != options.payload) tally_->Fail("a payload of another length");
        tally_->Count(1);
    }

    void Finished() {
        if (messages_ != LG_STREAM_MESSAGES) tally_->Fail("another number of messages");
        Ended();
        Begin();
    }

    int messages_ = 0;
    bool finishing_ = false;
    EchoResponse reply_;
    std::unique_ptr<grpc::ClientAsyncReader<EchoResponse>> call_;
};

class Upload final : public Lane {
    using Lane::Lane;

    void Begin() override {
        call_.reset();
        NewCall();
        request_.set_id(1 << 28);
        left_ = LG_STREAM_MESSAGES;
        step_ = Step::kWrite;
        call_ = stub_->AsyncUpload(&*context_, &summary_, queue_, this);
    }

    void Proceed(bool ok) override {
        if (step_ == Step::kFinished) return Finished();
        if (step_ == Step::kFinish || !ok) {
            step_ = Step::kFinished;
            return call_->Finish(&status_, this);
        }
        if (left_-- > 0) return call_->Write(request_, this);
        step_ = Step::kFinish;
        call_->WritesDone(this);
    }

    void Finished() {
        if (summary_.messages() != LG_STREAM_MESSAGES ||
            summary_.bytes() != int64_t(LG_STREAM_MESSAGES * options.payload))
            tally_->Fail("another summary");
        Ended();
        tally_->Count(LG_STREAM_MESSAGES);
        Begin();
    }

    int left_ = 0;
    enum class Step { kWrite, kFinish, kFinished } step_ = Step::kWrite;
    UploadSummary summary_;
    std::unique_ptr<grpc::ClientAsyncWriter<EchoRequest>> call_;
};

// A completion queue with the thread that serves it.
struct Worker {
    CompletionQueue queue;
    Tally tally;
    std::vector<std::unique_ptr<Lane>> lanes;
    std::thread thread;

    void Run() {
        for (auto& lane : lanes) lane->Begin();
        void* tag;
        bool ok;
        while (phase.load(std::memory_order_relaxed) != Phase::kOver && queue.Next(&tag, &ok))
            static_cast<Lane*>(tag)->Proceed(ok);
    }
};

std::shared_ptr<grpc::Channel> Connect() {
    grpc::ChannelArguments arguments;
    // Else all channels would share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(65 << 20);
    return grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(options.port), grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<Lane> MakeLane(
    const std::shared_ptr<grpc::Channel>& channel, CompletionQueue* queue, Tally* tally, uint64_t number) {
    uint64_t id = (uint64_t(1) << 28) + (number << 32);
    switch (options.mode) {
        case LG_CHAT: return std::make_unique<Chat>(channel, queue, tally, id);
        case LG_DOWNLOAD: return std::make_unique<Download>(channel, queue, tally, id);
        case LG_UPLOAD: return std::make_unique<Upload>(channel, queue, tally, id);
        default: return std::make_unique<Unary>(channel, queue, tally, id);
    }
}

void Start(std::vector<std::unique_ptr<Worker>>& workers) {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (int i = 0; i < options.connections; i++) channels.push_back(Connect());
    for (int i = 0; i < options.threads; i++) workers.push_back(std::make_unique<Worker>());
    for (int i = 0; i < options.concurrency; i++) {
        Worker& worker = *workers[i % options.threads];
        worker.lanes.push_back(MakeLane(channels[i % options.connections], &worker.queue, &worker.tally, i));
    }
    for (auto& worker : workers) worker->thread = std::thread([&worker] { worker->Run(); });
}

int Measure() {
    std::vector<std::unique_ptr<Worker>> workers;
    Start(workers);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    lg_sample from = lg_sample_take(&options);
    phase = Phase::kMeasurement;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
    lg_sample to = lg_sample_take(&options);
    phase = Phase::kOver;
    Tally all;
    for (auto& worker : workers) {
        worker->thread.join();
        for (int i = 0; i < LG_BUCKETS; i++) all.latency.count[i] += worker->tally.latency.count[i];
        all.latency.n += worker->tally.latency.n;
        all.operations += worker->tally.operations;
        all.calls += worker->tally.calls;
        all.errors += worker->tally.errors;
    }
    lg_report(&options, &all.latency, all.operations, all.calls, all.errors, from, to);
    // The calls in flight end with the process.
    std::_Exit(all.errors != 0);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    bench::options = lg_parse(argc, argv);
    return bench::Measure();
}
