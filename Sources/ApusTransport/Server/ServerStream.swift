// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire
import Synchronization

/// One call on a server's connection: its request half, its response half, and the task of its handler.
///
/// Sendable: the responder's methods may be called from anywhere and touch only `outbound` and `fields`, which lock,
/// the atomic `compresses` and what is immutable; everything else is confined to the connection's loop.
final class ServerStream: HTTP2Stream, TimerEntry, @unchecked Sendable {
    /// How the response ends.
    struct End: Sendable {
        var status: Status
        var metadata: Metadata
    }

    private struct Fields {
        var initial = Metadata()
        var trailers = Metadata()
        var sendsHead = false
        var encoding = ResponseEncoding()
    }

    private let loop: any EventLoop
    private let owner: any ServerConnectionOwner
    private let router: Router
    private let slots: HandlerSlots
    private(set) var connection: ServerConnection?
    // Unchecked: one thread, and none of their methods calls back.
    @exclusivity(unchecked) private var head: RequestHead
    @exclusivity(unchecked) private var deframer: MessageDeframer
    private var entry: Router.Entry?
    private var deadline = CallDeadline.none
    private var request: MessageBytes?
    private var inbound: InboundMessages?
    private var isReset = false
    private(set) var requestEnded = false
    var headSent = false
    // The answer to what is no gRPC call, and what is left of its text.
    var refusal: HTTPRefusal?
    var refusedBytes = 0
    var refusalText: ArraySlice<UInt8> = []
    var endSent = false
    private var handler: Task<Void, Never>?
    private let outbound = OutboundHalf<End>()
    private let fields = Mutex(Fields())
    private let compressors: Compressors
    // Whether `fields.encoding` has something to say: a response without compression takes no lock to know it.
    private let compresses = Atomic<Bool>(false)
    @exclusivity(unchecked) var timer = TimerPosition()

    init(_ connection: ServerConnection) {
        self.connection = connection
        loop = connection.loop
        owner = connection.owner
        router = connection.server.router
        slots = connection.slots
        compressors = connection.options.compressors
        head = RequestHead(limit: connection.options.maximumMetadataBytes)
        deframer = MessageDeframer(limit: connection.options.maximumRequestBytes)
    }

    // MARK: The request

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard entry == nil, connection != nil else { return }
        head.receive(name: name, value: value, router: router, compressors: compressors)
    }

    override func receiveFieldsEnd(endStream: Bool) {
        guard let connection else { return }
        if endStream { requestEnded = true }
        // Trailers of a request: gRPC has none, their end is all that counts.
        if entry != nil || isReset || refusal != nil {
            if endStream { finishRequest() }
            return
        }
        switch head.verdict {
        case .start(let index): start(connection.server.router[index], connection)
        case .reject(let status): end(status)
        case .rejectHTTP(let refusal): reject(refusal)
        case .terminate: connection.terminate(HTTP2ErrorCode.enhanceYourCalm)
        }
    }

    private func start(_ entry: Router.Entry, _ connection: ServerConnection) {
        self.entry = entry
        if let timeout = head.timeout {
            guard timeout > 0 else { return timerFired() }
            deadline = CallDeadline(at: loop.now.advanced(by: .nanoseconds(timeout)))
            loop.schedule(self, at: deadline.instant)
        }
        deframer.takesCompressed = head.compressor != nil
        if let compression = connection.options.compression {
            compressResponses(with: compression, minimum: connection.options.minimumCompressedBytes)
        }
        if entry.route.method.kind.streamsRequests {
            inbound = InboundMessages(
                decompression(connection), askForCredit: { [weak self] in self?.askForCredit() }, abandon: {},
                spoiled: { [weak self] in self?.requestSpoiled($0) })
            connection.startAfterBatch(self)
        }
        if requestEnded { finishRequest() }
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) {
        guard !isReset, let entry, let connection else { return countRefused(bytes.count) }
        var rest = bytes
        do throws(RPCError) {
            while let message = try deframer.next(&rest) {
                if let inbound {
                    inbound.push(message)
                } else if request == nil {
                    request = message
                } else {
                    throw RPCError(.unimplemented, "two messages for \(entry.route.method.path), which takes one")
                }
            }
        } catch {
            return end(error.status)
        }
        // A message that nobody waits for yet holds its bytes back; one under assembly must be able to complete.
        connection.session?.consume(inbound?.arrived(bytes.count) ?? bytes.count, of: self)
    }

    override func receiveEnd() {
        requestEnded = true
        if refusal != nil { return sendRefusal() }
        finishRequest()
    }

    private func finishRequest() {
        guard !isReset, let entry else { return sendRefusal() }
        guard !deframer.isInsideMessage else { return end(Status(.internal, "the request ended inside a message")) }
        if let inbound { return inbound.finish() }
        guard request != nil else {
            return end(Status(.unimplemented, "no message for \(entry.route.method.path), which takes one"))
        }
        connection?.startAfterBatch(self)
    }

    private func decompression(_ connection: ServerConnection) -> Decompression {
        Decompression(compressors, head.compressor, limit: connection.options.maximumRequestBytes)
    }

    // Whatever the handler makes of it: the request is broken, and so is the call.
    private func requestSpoiled(_ error: RPCError) {
        loop.run { if !self.isReset, !self.endSent { self.end(error.status) } }
    }

    private func askForCredit() { loop.run { self.returnCredit() } }

    private func returnCredit() {
        guard let connection, let inbound else { return }
        connection.session?.consume(inbound.takeCredit(), of: self)
        connection.touch()
    }

    // MARK: The handler

    /// Starts the handler, outside of nghttp2's callbacks.
    ///
    /// - Returns: whether there is something to handle still.
    func startHandler() -> Bool {
        guard !isReset, handler == nil, let connection, let entry else { return false }
        guard let body = inbound.map({ MessageBody.stream($0) }) ?? request.map({ .one($0) }) else { return false }
        let compressed = request?.isCompressed == true ? decompression(connection) : nil
        request = nil
        let call = ServerCall(
            method: entry.route.method, metadata: head.metadata, deadline: deadline, peer: connection.io.peer,
            peerIdentity: connection.peerIdentity, request: body, responder: self)
        let server = connection.server
        let route = entry.route
        owner.handlerStarted()
        handler = Task(executorPreference: connection.executor(for: entry)) {
            do throws(RPCError) {
                let response =
                    if let compressed {
                        try await server.answer(call.opened(compressed), route)
                    } else {
                        try await server.answer(call, route)
                    }
                self.handlerEnded(try response.message.map(self.framed), Status.ok, nil)
            } catch {
                self.handlerEnded(nil, error.status, error.metadata)
            }
        }
        return true
    }

    /// Ends a call that no handler has seen: the client may try it elsewhere.
    func refuse() {
        guard !isReset, handler == nil, let connection else { return }
        isReset = true
        connection.session?.reset(self, code: HTTP2ErrorCode.refusedStream)
        connection.touch()
    }

    private func handlerEnded(_ message: MessageBytes?, _ status: Status, _ metadata: Metadata?) {
        var trailers = fields.withLock { $0.trailers }
        if let metadata, !metadata.isEmpty { trailers.add(contentsOf: metadata) }
        _ = outbound.finish(message, End(status: status, metadata: trailers))
        loop.run { self.handlerLeft() }
    }

    private func handlerLeft() {
        handler = nil
        owner.handlerEnded()
        slots.handlerLeft()
        respond()
    }

    // MARK: The response

    private func respond() {
        guard let session = connection?.session else { return }
        connection?.touch()
        guard !headSent else { return session.resumeData(self) }
        headSent = true
        let (metadata, sendsHead, encoding) = fields.withLock { ($0.initial, $0.sendsHead, $0.encoding.fixed()) }
        var block = Self.standardHead
        if let end = outbound.endWithoutMessages, !sendsHead, !end.status.isOK || metadata.isEmpty {
            return session.submitResponse(adding(end, to: block), stream: self, end: true)
        }
        if let compressor = encoding.compressor {
            block.add("grpc-encoding", compressors[compressor].compression.name.utf8)
        }
        if !metadata.isEmpty {
            do throws(RPCError) {
                try MetadataEncoding.write(metadata, to: &block)
                if block.listSize > HeaderBlock.maximumListSize { throw RPCError(Self.tooLarge) }
            } catch {
                headSent = false
                fields.withLock { $0 = Fields() }
                return end(error.status)
            }
        }
        session.submitResponse(block, stream: self)
    }

    // nghttp2 drops a block that is too large without a word, and the client would wait for ever.
    private static let tooLarge = Status(
        .resourceExhausted, "the response's metadata is above \(HeaderBlock.maximumListSize) bytes")

    private func adding(_ end: End, to block: HeaderBlock) -> HeaderBlock {
        var fields = block
        ResponseFields.writeStatus(end.status, end.metadata, compressors: compressors, to: &fields)
        guard fields.listSize > HeaderBlock.maximumListSize else { return fields }
        fields = block
        ResponseFields.writeStatus(Self.tooLarge, Metadata(), compressors: compressors, to: &fields)
        return fields
    }

    private static let standardHead: HeaderBlock = {
        var block = HeaderBlock()
        block.add(":status", "200")
        block.add("content-type", "application/grpc")
        return block
    }()

    private static let okTrailers: HeaderBlock = {
        var block = HeaderBlock()
        ResponseFields.writeStatus(.ok, Metadata(), compressors: .none, to: &block)
        return block
    }()

    override func nextData(limit: Int) -> DataAnswer {
        if refusal != nil { return nextRefusalData(limit: limit) }
        switch outbound.available(limit) {
        case .bytes(let count): return .bytes(count)
        case .nothing: return .later
        case .bytesAndEnd(let count, let end):
            if end.status.isOK, end.metadata.isEmpty { return .bytesAndTrailers(count, Self.okTrailers) }
            return .bytesAndTrailers(count, adding(end, to: HeaderBlock()))
        }
    }

    override func takeData(_ count: Int, into output: OutputBuffer) {
        if refusal != nil { return takeRefusal(count, into: output) }
        outbound.take(count, into: output)
    }

    override func sentHeaders(endStream: Bool) {
        guard endStream else { return }
        endSent = true
        loop.cancel(self)
        // gRPC over HTTP/2: a server that ends first tells the client to stop sending, without an error.
        if !requestEnded { connection?.session?.reset(self, code: HTTP2ErrorCode.noError) }
    }

    // Ends the call for a reason of the server's own, whatever the handler does.
    private func end(_ status: Status) {
        isReset = true
        let error = RPCError(.cancelled, "the call is over: \(status)")
        cancelHandler(error)
        outbound.override(End(status: status, metadata: Metadata()), writersGet: error)
        inbound?.fail(error)
        respond()
    }

    // First of all: a handler on another thread that hears of the end finds its task cancelled.
    private func cancelHandler(_ error: RPCError) {
        guard let handler else { return }
        outbound.willFail(error)
        inbound?.willFail(error)
        handler.cancel()
    }

    /// The deadline.
    func timerFired() {
        guard !endSent else { return }
        end(Status(.deadlineExceeded, "the deadline passed while the server worked"))
    }

    override func closed(code: UInt32) {
        loop.cancel(self)
        connection?.lastCall = loop.now
        connection?.touch()
        connection = nil
        guard !endSent || code != HTTP2ErrorCode.noError else { return }
        isReset = true
        let error = RPCError(.cancelled, "the client is gone (\(StatusMapping.name(reset: code)))")
        cancelHandler(error)
        outbound.fail(error)
        inbound?.fail(error)
    }
}

extension ServerStream: ServerResponder {
    func setInitialMetadata(_ metadata: Metadata) { fields.withLock { $0.initial = metadata } }

    func setTrailers(_ metadata: Metadata) { fields.withLock { $0.trailers = metadata } }

    func sendInitialMetadata() {
        fields.withLock { $0.sendsHead = true }
        loop.run { if !self.headSent { self.respond() } }
    }

    func compressResponses(with compression: Compression) -> Bool {
        compressResponses(with: compression, minimum: 0)
    }

    @discardableResult
    private func compressResponses(with compression: Compression, minimum: Int) -> Bool {
        var compressor: Int?
        if compression != .identity {
            // What the client accepts stands since before the handler was started.
            guard let index = compressors.index(of: compression), head.accepted.contains(index) else { return false }
            compressor = index
        }
        return fields.withLock { fields in
            guard fields.encoding.choose(compressor, minimum: minimum) else { return false }
            compresses.store(compressor != nil, ordering: .releasing)
            return true
        }
    }

    // The message as it goes to the wire.
    private func framed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard compresses.load(ordering: .acquiring) else { return message }
        let encoding = fields.withLock { $0.encoding.fixed() }
        guard let compressor = encoding.compressor else { return message }
        return try message.compressed(by: compressors[compressor], minimum: encoding.minimum)
    }

    func write(_ message: MessageBytes) async throws(RPCError) {
        let (wake, full) = try outbound.write(framed(message))
        if wake { loop.run { self.respond() } }
        guard full else { return }
        do {
            try await outbound.drain()
        } catch {
            throw RPCError(wrapping: error)
        }
    }
}
