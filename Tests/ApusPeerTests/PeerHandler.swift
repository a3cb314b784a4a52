// SPDX-License-Identifier: Apache-2.0

import Apus

/// The service of `proto/test/peer.proto`, as `Tests/Peers/server.py` has it for Python's gRPC.
struct PeerHandler: Peer.Handler {
    var execution = HandlerExecution.loop
    let stages = Stages()

    func unary(_ request: Instruction, call: ServerCall) async throws -> Reply {
        try await course(call) { course in
            course.receive(request)
            try await course.obey(request)
            return course.reply(request.size)
        }
    }

    func clientStream(_ requests: RequestStream<ProtobufCodec<Instruction>>, call: ServerCall) async throws -> Reply {
        try await course(call) { course in
            var size: Int32 = 0
            for try await request in requests {
                course.receive(request)
                try await course.obey(request)
                size = request.size
                if request.stop { break }
            }
            return course.reply(size)
        }
    }

    func serverStream(
        _ request: Instruction, to writer: ResponseWriter<ProtobufCodec<Reply>>, call: ServerCall
    ) async throws {
        try await course(call) { course in
            course.receive(request)
            for _ in 0..<request.messages { try await writer.write(course.reply(request.size)) }
            try await course.obey(request)
        }
    }

    func chat(
        _ requests: RequestStream<ProtobufCodec<Instruction>>, to writer: ResponseWriter<ProtobufCodec<Reply>>,
        call: ServerCall
    ) async throws {
        try await course(call) { course in
            for try await request in requests {
                course.receive(request)
                for _ in 0..<request.messages { try await writer.write(course.reply(request.size)) }
                try await course.obey(request)
                if request.stop { return }
            }
        }
    }

    func watch(
        _ request: WatchRequest, to writer: ResponseWriter<ProtobufCodec<WatchReply>>, call: ServerCall
    ) async throws {
        let reached = stages.watch(request.name)
        try await writer.write(WatchReply(stage: .watched))
        for await stage in reached { try await writer.write(WatchReply(stage: stage)) }
    }

    private func course<R>(_ call: ServerCall, _ body: (inout Course) async throws -> R) async throws -> R {
        var course = Course(call, stages)
        defer { course.end(cancelled: Task.isCancelled) }
        return try await body(&course)
    }
}

/// One call: what it has received until now, and what it does next.
private struct Course {
    private let call: ServerCall
    private let stages: Stages
    private let millisecondsLeft: Int64
    private var name: String?
    private var messages: Int32 = 0
    private var bytes: Int64 = 0
    private var sent: Int32 = 0

    init(_ call: ServerCall, _ stages: Stages) {
        self.call = call
        self.stages = stages
        let left = call.deadline.remaining(at: SystemClock().now) ?? .zero
        millisecondsLeft = Int64(left / .milliseconds(1))
        call.setInitialMetadata(echoed("echo-initial-"))
        call.setTrailers(echoed("echo-trailing-"))
    }

    private func echoed(_ prefix: String) -> Metadata {
        var echoed = Metadata()
        for entry in call.metadata.entries where entry.key.hasPrefix(prefix) {
            switch entry.value {
            case .ascii(let text): echoed.add(entry.key, text)
            case .binary(let bytes): echoed.add(entry.key, binary: bytes)
            }
        }
        return echoed
    }

    mutating func receive(_ instruction: Instruction) {
        messages += 1
        bytes += Int64(instruction.payload.count)
        if name == nil {
            name = instruction.name
            stages.reach(instruction.name, .started)
        }
        if instruction.earlyHead { call.sendInitialMetadata() }
    }

    func obey(_ instruction: Instruction) async throws {
        if instruction.hang { await untilCancelled() }
        guard let code = Status.Code(rawValue: Int(instruction.code)), code != .ok else { return }
        throw RPCError(code, instruction.text)
    }

    private func untilCancelled() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }

    mutating func reply(_ size: Int32) -> Reply {
        defer { sent += 1 }
        return Reply(
            payload: [UInt8](repeating: 0, count: Int(size)), index: sent, receivedMessages: messages,
            receivedBytes: bytes, millisecondsLeft: millisecondsLeft)
    }

    func end(cancelled: Bool) {
        if let name { stages.reach(name, cancelled ? .cancelled : .finished) }
    }
}
