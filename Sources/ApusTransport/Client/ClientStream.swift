// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire
import Synchronization

/// One try of a call on a client's connection, from before it has one until its end.
///
/// Sendable: what callers on other threads touch (`outbound`, `inbound`, `ending`) locks; everything else is confined
/// to the loop.
final class ClientStream: HTTP2Stream, TimerEntry, @unchecked Sendable {
    typealias Head = UnsafeContinuation<ClientResponse, any Error>

    private struct Ending {
        var isOver = false
        var error: RPCError?
        var trailers = Metadata()
        var hooks: [@Sendable (RPCError?) -> Void] = []
    }

    /// What a channel's options say of its streams: copied with every call, unlike the rest.
    struct Limits: Sendable {
        let compressors: Compressors
        let responseBytes: Int
        let metadataBytes: Int

        init(_ options: TransportOptions) {
            compressors = options.compressors
            responseBytes = options.maximumResponseBytes
            metadataBytes = options.maximumMetadataBytes
        }
    }

    let call: ClientCall
    let loop: any EventLoop
    let compressors: Compressors
    let limit: Int
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) private(set) var connection: ClientConnection?
    @exclusivity(unchecked) private(set) var isOver = false
    @exclusivity(unchecked) private(set) var isSent = false
    @exclusivity(unchecked) private var head: Head?
    private let ending = Mutex(Ending())
    @exclusivity(unchecked) var timer = TimerPosition()
    @exclusivity(unchecked) var place = CallQueue.Place()

    // The request half.
    let compressor: Int?
    let outbound = OutboundHalf()
    // nghttp2 reads them until they are sent.
    private var fields: PreparedFields?
    var pump: Task<Void, Never>?
    var requestEnded = false

    // The response half. Unchecked: one thread, and none of their methods calls back.
    @exclusivity(unchecked) var response: ResponseHead
    @exclusivity(unchecked) var deframer: MessageDeframer
    // Written once, before the caller gets the head.
    var encoding: Int?
    var metadata = Metadata()
    var message: MessageBytes?
    var inbound: InboundMessages?
    var isAnswered = false
    @exclusivity(unchecked) var foreignBody: ForeignBody?

    /// - Parameter compressor: the index of what compresses the messages of a streamed request; the only message of
    ///   another one has been compressed already.
    init(_ call: consuming ClientCall, compressor: Int? = nil, loop: any EventLoop, limits: Limits) {
        self.compressor = compressor
        self.loop = loop
        compressors = limits.compressors
        let limit = call.maximumResponseBytes ?? limits.responseBytes
        self.limit = limit
        response = ResponseHead(limit: limits.metadataBytes)
        deframer = MessageDeframer(limit: limit)
        self.call = consume call
    }

    // MARK: Start

    /// Takes the caller's continuation and arms the deadline.
    ///
    /// - Returns: whether the call should go on.
    func begin(_ head: Head) -> Bool {
        if isOver {
            head.resume(throwing: ending.withLock { $0.error } ?? RPCError(.cancelled, "the call was cancelled"))
            return false
        }
        self.head = head
        guard !call.deadline.isNone else { return true }
        if call.deadline.hasPassed(at: loop.now) {
            timerFired()
            return false
        }
        loop.schedule(self, at: call.deadline.instant)
        return true
    }

    /// Sends the call on a connection that is ready.
    func send(on connection: ClientConnection) {
        guard !isOver, let session = connection.session else { return }
        do {
            let left = call.deadline.nanosecondsLeft(at: loop.now)
            let template = connection.template(of: call.method, to: call.target, self)
            let fields = template?.fields(left: left)
            if let fields, call.metadata.isEmpty {
                self.fields = fields
                provideRequest()
                try session.submitRequest(HeaderBlock(fields), stream: self)
            } else {
                var block = connection.takeFields()
                defer { connection.keep(&block) }
                if let fields {
                    self.fields = fields
                    block.add(fields)
                } else if let template {
                    template.writeOnce(to: &block)
                } else {
                    connection.write(self, left: left, to: &block)
                }
                try writeMetadata(to: &block)
                provideRequest()
                try session.submitRequest(block, stream: self)
            }
        } catch let error as RPCError {
            return fail(error)
        } catch {
            connection.refusesStreams()
            let text = "the connection takes no more calls: \(error)"
            return fail(RPCError(.unavailable, text, progress: .notSent))
        }
        self.connection = connection
        connection.sent(self)
    }

    private func provideRequest() {
        if case .one(let message) = call.request { _ = outbound.finish(message, OutboundHalf.End()) }
    }

    private func writeMetadata(to fields: inout HeaderBlock) throws(RPCError) {
        if !call.metadata.isEmpty { try MetadataEncoding.write(call.metadata, to: &fields) }
        // nghttp2 would drop the block much later, as if the connection had failed.
        guard fields.listSize <= HeaderBlock.maximumListSize else {
            let text = "the request's metadata is above \(HeaderBlock.maximumListSize) bytes"
            throw RPCError(.resourceExhausted, text, progress: .notConnected)
        }
    }

    // MARK: What the session tells

    override func nextData(limit: Int) -> DataAnswer { provideData(limit) }
    override func takeData(_ count: Int, into output: OutputBuffer) { outbound.take(count, into: output) }
    override func sentHeaders(endStream: Bool) {
        isSent = true
        // Not before: a call that never left is sent again, with all of its messages, and has sent none.
        switch call.request {
        case .one(let message): call.record?.messageSent(message.count)
        case .stream(let source): if !isOver, pump == nil { startPump(source) }
        }
    }

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        response.receive(name: name, value: value, compressors: compressors)
    }

    override func receiveFieldsEnd(endStream: Bool) {
        if !isOver { receiveBlock(endStream: endStream) }
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) {
        if !isOver { receiveMessages(bytes) }
    }

    override func receiveEnd() {
        if !isOver { receiveEndOfData() }
    }

    override func closed(code: UInt32) {
        let connection = connection
        self.connection = nil
        connection?.lastCall = loop.now
        if code != HTTP2ErrorCode.noError { connection?.streamsFailed += 1 }
        guard !isOver else { return }
        connection?.callsFailed += 1
        guard isSent else {
            return fail(RPCError(.unavailable, "the connection ended before the call left", progress: .notSent))
        }
        if let reason = connection?.closeReason, !reason.isEmpty {
            return fail(RPCError(.unavailable, "the connection was lost", cause: reason))
        }
        let refused = code == HTTP2ErrorCode.refusedStream
        let text = "the server reset the call with \(StatusMapping.name(reset: code))"
        fail(RPCError(StatusMapping.code(reset: code), text, progress: refused ? .refused : .sent))
    }

    // MARK: The end

    /// The deadline, or the end of the patience with a body that says why an answer is none.
    func timerFired() {
        guard !isOver else { return }
        if let foreignBody, !call.deadline.hasPassed(at: loop.now) { return refuse(foreignBody.described) }
        reset(HTTP2ErrorCode.cancel)
        let what: StaticString =
            if isSent {
                "while waiting for the response"
            } else if place.awaitsStream || connection != nil {
                "while waiting for the server to take more calls"
            } else {
                "while waiting for a connection"
            }
        fail(CallDeadline.exceeded("\(what)", progress: isSent ? .sent : .notConnected))
    }

    /// Ends the call from this side, on any thread: the server sees a cancellation.
    func end(_ error: RPCError) {
        loop.run {
            guard !self.isOver else { return }
            self.reset(HTTP2ErrorCode.cancel)
            self.fail(error)
        }
    }

    func reset(_ code: UInt32) {
        guard let connection else { return }
        connection.session?.reset(self, code: code)
        connection.touch()
    }

    /// Ends the call with an error. Loop only.
    func fail(_ error: RPCError) {
        guard !isOver else { return }
        let error = error.with(progress: isAnswered ? .answered : nil, peer: call.endpoint?.endpoint)
        finish(error, error.metadata)
        inbound?.fail(error)
        resumeHead(.failure(error))
    }

    /// Notes the end: once.
    func finish(_ error: RPCError?, _ trailers: Metadata) {
        isOver = true
        if error != nil { connection?.callsFailed += 1 }
        loop.cancel(self)
        CallQueue.remove(self)
        pump?.cancel()
        pump = nil
        outbound.fail(error ?? Self.isOverError)
        let hooks = ending.withLock { ending in
            ending.isOver = true
            ending.error = error
            ending.trailers = trailers
            defer { ending.hooks = [] }
            return ending.hooks
        }
        for hook in hooks { hook(error) }
    }

    // What a writer gets who goes on after a success.
    private static let isOverError = RPCError(.cancelled, "the call is over")

    func resumeHead(_ result: Result<ClientResponse, any Error>) {
        let head = head
        self.head = nil
        head?.resume(with: result)
    }

    // MARK: For the reader, from any thread

    var trailers: Metadata { ending.withLock { $0.trailers } }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        let (isOver, error) = ending.withLock { ending in
            if !ending.isOver { ending.hooks.append(action) }
            return (ending.isOver, ending.error)
        }
        if isOver { action(error) }
    }

    func abandon() { end(RPCError(.cancelled, "nobody reads the response on")) }
}
