// SPDX-License-Identifier: Apache-2.0

public import Apus
import Synchronization

/// Asks a server what it serves and how its messages look: reflection v1, and v1alpha of servers without it.
public final class ReflectionClient: Sendable {
    private typealias Codec = ProtobufCodec<ServerReflectionRequest>
    private typealias Answer = ProtobufCodec<ServerReflectionResponse>

    private let channel: Channel
    private let options: CallOptions
    private let allowance: Mutex<ReflectionAllowance>

    /// A client of the channel's server. The options' time is that of each question.
    public convenience init(_ channel: Channel, options: CallOptions = CallOptions()) {
        self.init(channel, options, ReflectionAllowance())
    }

    /// The allowance is for all questions of the client.
    init(_ channel: Channel, _ options: CallOptions, _ allowance: ReflectionAllowance) {
        self.channel = channel
        self.allowance = Mutex(allowance)
        var options = options
        options.maximumResponseBytes = 64 << 20
        self.options = options
    }

    /// The full names of the server's services, sorted.
    ///
    /// - Throws: UNIMPLEMENTED from a server without reflection, and what else fails.
    public func services() async throws(RPCError) -> [String] {
        guard case .listServicesResponse(let list) = try await ask(.listServices("*")) else { throw Self.odd }
        return list.service.map(\.name).sorted()
    }

    /// What the files say that declare a symbol, with all that they import.
    ///
    /// - Throws: NOT_FOUND when the server does not know the symbol.
    public func schema(of symbol: String) async throws(RPCError) -> Schema {
        let name = String(symbol.drop { $0 == "." || $0 == "/" }).replacing("/", with: ".")
        var files = FileCollection()
        try files.add(await descriptors(.fileContainingSymbol(name)))
        // Servers may leave the imports out.
        while let missing = files.nextMissing {
            try files.add(await descriptors(.fileByFilename(missing)))
            files.asked(for: missing)
        }
        return try Schema(files.descriptors)
    }

    private func descriptors(_ question: ServerReflectionRequest.MessageRequest) async throws(RPCError) -> [[UInt8]] {
        guard case .fileDescriptorResponse(let files) = try await ask(question) else { throw Self.odd }
        let count = files.fileDescriptorProto.reduce(0) { $0 + $1.count }
        try take { (allowance) throws(RPCError) in try allowance.take(count) }
        return files.fileDescriptorProto
    }

    private func take(_ part: (inout ReflectionAllowance) throws(RPCError) -> Void) throws(RPCError) {
        let result = allowance.withLock { allowance -> Result<Void, RPCError> in
            do throws(RPCError) { return .success(try part(&allowance)) } catch { return .failure(error) }
        }
        try result.get()
    }

    private static var odd: RPCError { RPCError(.internal, "the server's reflection answers another question") }

    private func ask(
        _ question: ServerReflectionRequest.MessageRequest
    ) async throws(RPCError) -> ServerReflectionResponse.MessageResponse {
        do throws(RPCError) {
            return try await ask(question, "grpc.reflection.v1.ServerReflection")
        } catch  where error.code == .unimplemented {
            return try await ask(question, "grpc.reflection.v1alpha.ServerReflection")
        }
    }

    // The messages of both versions are the same.
    private func ask(
        _ question: ServerReflectionRequest.MessageRequest, _ service: String
    ) async throws(RPCError) -> ServerReflectionResponse.MessageResponse {
        let method = Method<Codec, Answer>(
            service: service, name: "ServerReflectionInfo", kind: .bidirectional)
        try take { (allowance) throws(RPCError) in try allowance.ask() }
        let call = channel.bidirectional(method, options: options)
        defer { call.cancel() }
        do throws(RPCError) {
            try await call.requests.write(ServerReflectionRequest(messageRequest: question))
            call.requests.finish()
        } catch {
            // The call has ended: its own error says more than that of the write.
        }
        guard let answer = try await call.responses().next()?.messageResponse else { throw Self.odd }
        guard case .errorResponse(let error) = answer else { return answer }
        // An error is none that says OK.
        let code = Status.Code(rawValue: Int(error.errorCode)) ?? .unknown
        throw RPCError(code == .ok ? .unknown : code, error.errorMessage)
    }
}

/// Files that came so far, and what they import.
struct FileCollection {
    private(set) var descriptors = ProtobufFileDescriptorSet()
    private var known: Set<String> = []
    private var missing: [String] = []
    // Files of one schema, with those that are still to come.
    private static let maximumFiles = 10_000

    /// A file that somebody imports and nobody sent.
    var nextMissing: String? { missing.last }

    mutating func add(_ files: [[UInt8]]) throws(RPCError) {
        for bytes in files {
            let file = try ProtobufFileDescriptorProto(serialized: bytes)
            guard known.insert(file.name ?? "").inserted else { continue }
            descriptors.file.append(file)
            missing += file.dependency.filter { !known.contains($0) }
            guard known.count + missing.count <= Self.maximumFiles else {
                throw RPCError(.resourceExhausted, "a schema of more than \(Self.maximumFiles) files")
            }
        }
        missing.removeAll { known.contains($0) }
    }

    /// A file that was asked for counts as known, even if the server sent others.
    mutating func asked(for name: String) { missing.removeAll { $0 == name } }
}
