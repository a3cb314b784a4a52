// SPDX-License-Identifier: Apache-2.0
// Runs gRPC's interop cases with gRPC C++: interop_client <address> [--roots=<file>] <case>..., over TLS with the
// file. Prints each case's name, and fails with a text when a case does.
//
// Source: gRPC, Interoperability Test Case Descriptions, Client.

#include <google/protobuf/util/message_differencer.h>

#include <chrono>
#include <map>
#include <sstream>
#include <vector>

#include "interop.h"
#include "load.h"

namespace grpc::testing {
namespace {

constexpr int kLargeRequest = 271828;
constexpr int kLargeResponse = 314159;
const std::vector<int> kRequestSizes = {27182, 8, 1828, 45904};
const std::vector<int> kResponseSizes = {31415, 9, 2653, 58979};
const std::string kInitialValue = "test_initial_metadata_value";
const std::string kTrailingValue = "\xab\xab\xab";
const std::string kSpecialText =
    "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";

template <class A, class B>
void Same(const std::string& what, const A& actual, const B& expected) {
    if (actual == expected) return;
    std::ostringstream text;
    text << what << ": expected " << expected << ", came " << actual;
    Die(text.str());
}

void Succeeds(const Status& status) {
    if (!status.ok()) Die("failed with " + std::to_string(status.error_code()) + ": " + status.error_message());
}

void Fails(const Status& status, StatusCode code) { Same("code", int(status.error_code()), int(code)); }

void Fails(const Status& status, const EchoStatus& expected) {
    Fails(status, StatusCode(expected.code()));
    Same("text", status.error_message(), expected.message());
}

void AreZeros(const Payload& payload, int size) {
    Same("size", int(payload.body().size()), size);
    Same("zeros", payload.body() == Zeros(size), true);
}

// A case that hangs fails.
struct Context : ClientContext {
    Context() { set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1)); }
};

struct Client {
    std::string address;
    std::shared_ptr<ChannelCredentials> credentials;
    std::shared_ptr<Channel> channel = Open();
    std::unique_ptr<TestService::Stub> test = TestService::NewStub(channel);

    std::shared_ptr<Channel> Open() const {
        ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        return CreateCustomChannel(address, credentials, arguments);
    }
};

SimpleRequest Large() {
    SimpleRequest request;
    request.set_response_size(kLargeResponse);
    request.mutable_payload()->set_body(Zeros(kLargeRequest));
    return request;
}

StreamingInputCallRequest Sized(int size) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(Zeros(size));
    return request;
}

StreamingInputCallRequest Sized(int size, bool expect_compressed) {
    auto request = Sized(size);
    request.mutable_expect_compressed()->set_value(expect_compressed);
    return request;
}

StreamingOutputCallRequest Wanting(const std::vector<int>& sizes, int size) {
    StreamingOutputCallRequest request;
    for (int wanted : sizes) request.add_response_parameters()->set_size(wanted);
    if (size > 0) request.mutable_payload()->set_body(Zeros(size));
    return request;
}

void LargeUnary(TestService::Stub& test, ClientContext& context, const SimpleRequest& request = Large()) {
    SimpleResponse response;
    Succeeds(test.UnaryCall(&context, request, &response));
    AreZeros(response.payload(), kLargeResponse);
}

void LargeUnary(TestService::Stub& test) {
    Context context;
    LargeUnary(test, context);
}

void EmptyUnary(Client& client) {
    Context context;
    Empty response;
    Succeeds(client.test->EmptyCall(&context, Empty(), &response));
    Same("bytes", response.ByteSizeLong(), 0u);
}

void ClientStreaming(Client& client) {
    Context context;
    StreamingInputCallResponse response;
    auto writer = client.test->StreamingInputCall(&context, &response);
    for (int size : kRequestSizes) writer->Write(Sized(size));
    writer->WritesDone();
    Succeeds(writer->Finish());
    Same("aggregated_payload_size", response.aggregated_payload_size(), 74922);
}

void ServerStreaming(Client& client) {
    Context context;
    auto reader = client.test->StreamingOutputCall(&context, Wanting(kResponseSizes, 0));
    StreamingOutputCallResponse response;
    for (int size : kResponseSizes) {
        if (!reader->Read(&response)) Die("too few responses");
        AreZeros(response.payload(), size);
    }
    Same("another response", reader->Read(&response), false);
    Succeeds(reader->Finish());
}

void PingPong(Client& client) {
    Context context;
    auto stream = client.test->FullDuplexCall(&context);
    StreamingOutputCallResponse response;
    for (size_t i = 0; i < kRequestSizes.size(); i++) {
        stream->Write(Wanting({kResponseSizes[i]}, kRequestSizes[i]));
        if (!stream->Read(&response)) Die("no response");
        AreZeros(response.payload(), kResponseSizes[i]);
    }
    stream->WritesDone();
    Same("another response", stream->Read(&response), false);
    Succeeds(stream->Finish());
}

void EmptyStream(Client& client) {
    Context context;
    auto stream = client.test->FullDuplexCall(&context);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    Same("a response", stream->Read(&response), false);
    Succeeds(stream->Finish());
}

void ClientCompressedUnary(Client& client) {
    auto request = Large();
    request.mutable_expect_compressed()->set_value(true);
    Context probe;
    SimpleResponse response;
    Fails(client.test->UnaryCall(&probe, request, &response), StatusCode::INVALID_ARGUMENT);
    for (bool compressed : {true, false}) {
        Context context;
        context.set_compression_algorithm(compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
        request.mutable_expect_compressed()->set_value(compressed);
        LargeUnary(*client.test, context, request);
    }
}

void ServerCompressedUnary(Client& client) {
    for (bool compressed : {true, false}) {
        Context context;
        auto request = Large();
        request.mutable_response_compressed()->set_value(compressed);
        LargeUnary(*client.test, context, request);
        Same("compressed", CameCompressed(context), compressed);
    }
}

void ClientCompressedStreaming(Client& client) {
    StreamingInputCallResponse response;
    Context probe;
    auto probing = client.test->StreamingInputCall(&probe, &response);
    probing->Write(Sized(27182, true));
    probing->WritesDone();
    Fails(probing->Finish(), StatusCode::INVALID_ARGUMENT);

    Context context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    auto writer = client.test->StreamingInputCall(&context, &response);
    writer->Write(Sized(27182, true));
    writer->Write(Sized(45904, false), WriteOptions().set_no_compression());
    writer->WritesDone();
    Succeeds(writer->Finish());
    Same("aggregated_payload_size", response.aggregated_payload_size(), 73086);
}

void ServerCompressedStreaming(Client& client) {
    Context context;
    auto request = Wanting({31415, 92653}, 0);
    request.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
    request.mutable_response_parameters(1)->mutable_compressed()->set_value(false);
    auto reader = client.test->StreamingOutputCall(&context, request);
    StreamingOutputCallResponse response;
    for (const auto& wanted : request.response_parameters()) {
        if (!reader->Read(&response)) Die("too few responses");
        Same("compressed", CameCompressed(context), wanted.compressed().value());
        AreZeros(response.payload(), wanted.size());
    }
    Same("another response", reader->Read(&response), false);
    Succeeds(reader->Finish());
}

void AddMetadata(ClientContext& context) {
    context.AddMetadata(kInitialKey, kInitialValue);
    context.AddMetadata(kTrailingKey, kTrailingValue);
}

void HasMetadata(const ClientContext& context) {
    auto value = [](const auto& metadata, const std::string& key) {
        Same("values of " + key, metadata.count(key), 1u);
        auto found = metadata.find(key)->second;
        return std::string(found.begin(), found.end());
    };
    Same("initial metadata", value(context.GetServerInitialMetadata(), kInitialKey), kInitialValue);
    Same("trailing metadata", value(context.GetServerTrailingMetadata(), kTrailingKey), kTrailingValue);
}

void CustomMetadata(Client& client) {
    Context unary;
    AddMetadata(unary);
    LargeUnary(*client.test, unary);
    HasMetadata(unary);

    Context duplex;
    AddMetadata(duplex);
    auto stream = client.test->FullDuplexCall(&duplex);
    stream->Write(Wanting({kLargeResponse}, kLargeRequest));
    stream->WritesDone();
    StreamingOutputCallResponse response;
    if (!stream->Read(&response)) Die("no response");
    AreZeros(response.payload(), kLargeResponse);
    Same("another response", stream->Read(&response), false);
    Succeeds(stream->Finish());
    HasMetadata(duplex);
}

EchoStatus Unknown(const std::string& text) {
    EchoStatus status;
    status.set_code(2);
    status.set_message(text);
    return status;
}

void UnaryStatus(Client& client, const EchoStatus& status) {
    Context context;
    SimpleRequest request;
    *request.mutable_response_status() = status;
    SimpleResponse response;
    Fails(client.test->UnaryCall(&context, request, &response), status);
}

void StatusCodeAndMessage(Client& client) {
    const auto status = Unknown("test status message");
    UnaryStatus(client, status);
    Context context;
    auto stream = client.test->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    *request.mutable_response_status() = status;
    stream->Write(request);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    Same("a response", stream->Read(&response), false);
    Fails(stream->Finish(), status);
}

void UnimplementedMethod(Client& client) {
    Context context;
    Empty response;
    Fails(client.test->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void UnimplementedServiceCase(Client& client) {
    Context context;
    Empty response;
    auto stub = UnimplementedService::NewStub(client.channel);
    Fails(stub->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void CancelAfterBegin(Client& client) {
    Context context;
    StreamingInputCallResponse response;
    auto writer = client.test->StreamingInputCall(&context, &response);
    context.TryCancel();
    Fails(writer->Finish(), StatusCode::CANCELLED);
}

void CancelAfterFirstResponse(Client& client) {
    Context context;
    auto stream = client.test->FullDuplexCall(&context);
    stream->Write(Wanting({31415}, 27182));
    StreamingOutputCallResponse response;
    if (!stream->Read(&response)) Die("no response");
    AreZeros(response.payload(), 31415);
    context.TryCancel();
    Fails(stream->Finish(), StatusCode::CANCELLED);
}

void TimeoutOnSleepingServer(Client& client) {
    ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    auto stream = client.test->FullDuplexCall(&context);
    stream->Write(Wanting({}, 27182));
    Fails(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

void RpcSoak(Client& client) {
    for (int i = 0; i < 10; i++) LargeUnary(*client.test);
}

void ChannelSoak(Client& client) {
    for (int i = 0; i < 10; i++) LargeUnary(*TestService::NewStub(client.Open()));
}

TestOrcaReport Load(double cpu, double memory, double utilization) {
    TestOrcaReport report;
    report.set_cpu_utilization(cpu);
    report.set_memory_utilization(memory);
    (*report.mutable_utilization())["util"] = utilization;
    return report;
}

bool IsReport(const OrcaLoadReport& report, const TestOrcaReport& wanted) {
    return google::protobuf::util::MessageDifferencer::Equals(report, ToReport(wanted));
}

void OrcaOob(Client& client) {
    Context calling, following;
    auto stream = client.test->FullDuplexCall(&calling);
    OrcaLoadReportRequest request;
    request.mutable_report_interval()->set_nanos(100'000'000);
    auto reports = OpenRcaService::NewStub(client.channel)->StreamCoreMetrics(&following, request);
    for (const auto& wanted : {Load(0.8210, 0.5847, 0.30499), Load(0.29309, 0.2, 0.2039)}) {
        auto next = Wanting({1}, 0);
        *next.mutable_orca_oob_report() = wanted;
        stream->Write(next);
        StreamingOutputCallResponse response;
        if (!stream->Read(&response)) Die("no response");
        OrcaLoadReport report;
        do {
            if (!reports->Read(&report)) Die("the reports have ended");
        } while (!IsReport(report, wanted));
    }
    stream->WritesDone();
    Succeeds(stream->Finish());
    following.TryCancel();
    Fails(reports->Finish(), StatusCode::CANCELLED);
}

const std::map<std::string, void (*)(Client&)> kCases = {
    {"empty_unary", EmptyUnary},
    {"large_unary", [](Client& client) { LargeUnary(*client.test); }},
    {"client_streaming", ClientStreaming},
    {"server_streaming", ServerStreaming},
    {"ping_pong", PingPong},
    {"empty_stream", EmptyStream},
    {"client_compressed_unary", ClientCompressedUnary},
    {"server_compressed_unary", ServerCompressedUnary},
    {"client_compressed_streaming", ClientCompressedStreaming},
    {"server_compressed_streaming", ServerCompressedStreaming},
    {"custom_metadata", CustomMetadata},
    {"status_code_and_message", StatusCodeAndMessage},
    {"special_status_message", [](Client& client) { UnaryStatus(client, Unknown(kSpecialText)); }},
    {"unimplemented_method", UnimplementedMethod},
    {"unimplemented_service", UnimplementedServiceCase},
    {"cancel_after_begin", CancelAfterBegin},
    {"cancel_after_first_response", CancelAfterFirstResponse},
    {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
    {"rpc_soak", RpcSoak},
    {"channel_soak", ChannelSoak},
    {"orca_oob", OrcaOob},
};

void Run(std::vector<std::string> arguments) {
    if (arguments.empty()) Die("usage: interop_client <address> [--roots=<file>] <case>...");
    const std::string address = arguments[0];
    arguments.erase(arguments.begin());
    auto credentials = InsecureChannelCredentials();
    if (const std::string flag = "--roots="; !arguments.empty() && arguments[0].rfind(flag, 0) == 0) {
        credentials = SslCredentials({ReadFile(arguments[0].substr(flag.size())), "", ""});
        arguments.erase(arguments.begin());
    }
    Client client{address, credentials};
    for (const auto& name : arguments) {
        std::cout << name << std::endl;
        const auto found = kCases.find(name);
        if (found == kCases.end()) Die("there is no such case");
        found->second(client);
    }
}

}  // namespace
}  // namespace grpc::testing

int main(int count, char** arguments) {
    setenv("GRPC_VERBOSITY", "NONE", 1);
    std::thread([] {
        grpc::testing::WaitForEndOfInput();
        std::_Exit(1);
    }).detach();
    grpc::testing::Run(std::vector<std::string>(arguments + 1, arguments + count));
    std::cout.flush();
    std::_Exit(0);
}
