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

    /// The end of the request half: nothing to say.
    private struct RequestEnd: Sendable {}

    private struct Ending {
        var isOver = false
        var error: RPCError?
        var trailers = Metadata()
        var hooks: [@Sendable (RPCError?) -> Void] = []
    }

    let call: ClientCall
    private let compressor: Int?
    private let compressors: Compressors
    private let limit: Int
    private let loop: any EventLoop
    private var connection: ClientConnection?
    // Unchecked: one thread, and none of their methods calls back.
    @exclusivity(unchecked) private var response: ResponseHead
    @exclusivity(unchecked) private var deframer: MessageDeframer
    private var head: Head?
    // Written once, before the caller gets the head.
    private var encoding: Int?
    private var metadata = Metadata()
    private var message: MessageBytes?
    private var inbound: InboundMessages?
    private var pump: Task<Void, Never>?
    private var isOver = false
    private var isSent = false
    private var requestEnded = false
    private let outbound = OutboundHalf<RequestEnd>()
    private let ending = Mutex(Ending())
    var timer = TimerPosition()

    /// - Parameter compressor: the index of what compresses the messages of a streamed request; the only message of
    ///   another one has been compressed already.
    init(_ call: ClientCall, compressor: Int? = nil, loop: any EventLoop, options: TransportOptions) {
        self.call = call
        self.compressor = compressor
        self.loop = loop
        compressors = options.compressors
        limit = call.maximumResponseBytes ?? options.maximumResponseBytes
        response = ResponseHead(limit: options.maximumMetadataBytes)
        deframer = MessageDeframer(limit: limit)
    }

    var isEnded: Bool { isOver }

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
        var fields = HeaderBlock()
        do {
            let left = call.deadline.remaining(at: loop.now).map(\.saturatedNanoseconds)
            let scheme: StaticString = connection.secureAuthority == nil ? "http" : "https"
            try RequestFields.write(
                call.method, scheme: scheme, authority: connection.secureAuthority ?? call.target, timeout: left,
                metadata: call.metadata, compression: compressor.map { compressors[$0].compression },
                compressors: compressors, to: &fields)
            // nghttp2 would drop the block much later, as if the connection had failed.
            guard fields.listSize <= HeaderBlock.maximumListSize else {
                let text = "the request's metadata is above \(HeaderBlock.maximumListSize) bytes"
                return fail(RPCError(.resourceExhausted, text, progress: .notConnected))
            }
            if case .one(let message) = call.request { _ = outbound.finish(message, RequestEnd()) }
            try session.submitRequest(fields, stream: self)
        } catch let error as RPCError {
            return fail(error)
        } catch {
            connection.refusesStreams()
            let text = "the connection takes no more calls: \(error)"
            return fail(RPCError(.unavailable, text, progress: .notSent))
        }
        self.connection = connection
        connection.lastCall = loop.now
        connection.touch()
    }

    // Moves the messages of a streamed request to the connection, in a task on its loop.
    private func startPump(_ source: any MessageSource) {
        pump = Task(executorPreference: loop) {
            do {
                // A try that is over may not take a message away from the next one.
                while !Task.isCancelled, let message = try await source.next() {
                    let (wake, full) = try self.outbound.write(self.framed(message))
                    if wake { self.resume() }
                    if full { try await self.outbound.drain() }
                }
                if self.outbound.finish(nil, RequestEnd()) == true { self.resume() }
            } catch {
                self.end(RPCError(wrapping: error))
            }
        }
    }

    // The message as it goes to the wire.
    private func framed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard let compressor else { return message }
        return try message.compressed(by: compressors[compressor])
    }

    private func resume() {
        loop.run {
            guard !self.isOver, let connection = self.connection else { return }
            connection.session?.resumeData(self)
            connection.touch()
        }
    }

    /// Ends the call from this side, on any thread: the server sees a cancellation.
    func end(_ error: RPCError) {
        loop.run {
            guard !self.isOver else { return }
            self.reset(HTTP2ErrorCode.cancel)
            self.fail(error)
        }
    }

    private func reset(_ code: UInt32) {
        guard let connection else { return }
        connection.session?.reset(self, code: code)
        connection.touch()
    }

    /// The deadline.
    func timerFired() {
        guard !isOver else { return }
        reset(HTTP2ErrorCode.cancel)
        let what = isSent ? "while waiting for the response" : "while waiting for a connection"
        fail(CallDeadline.exceeded(what, progress: isSent ? .sent : .notConnected))
    }

    // MARK: The request half

    override func nextData(limit: Int) -> DataAnswer {
        switch outbound.available(limit) {
        case .bytes(let count): .bytes(count)
        case .bytesAndEnd(let count, _): lastData(count)
        case .nothing: .later
        }
    }

    private func lastData(_ count: Int) -> DataAnswer {
        requestEnded = true
        return .bytesAndEnd(count)
    }

    override func takeData(_ count: Int, into output: OutputBuffer) {
        outbound.take(count, into: output)
    }

    override func sentHeaders(endStream: Bool) {
        isSent = true
        // Not before: a call that never left is sent again, with all of its messages.
        if case .stream(let source) = call.request, !isOver, pump == nil { startPump(source) }
    }

    // MARK: The response half

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        response.receive(name: name, value: value, compressors: compressors)
    }

    override func receiveFieldsEnd(endStream: Bool) {
        guard !isOver else { return }
        switch response.receiveEnd(endStream: endStream) {
        case .informational: break
        case .head(let metadata): receiveHead(metadata)
        case .end(let status, let trailers):
            // A server that goes on after the status has to be stopped.
            if !endStream { reset(HTTP2ErrorCode.cancel) }
            receiveStatus(status, trailers)
        case .foreign(let status): refuse(status)
        case .abusive:
            connection?.session?.terminate(code: HTTP2ErrorCode.enhanceYourCalm)
            refuse(Status(.resourceExhausted, "the server's headers are beyond all limits"))
        }
    }

    private func receiveHead(_ metadata: Metadata) {
        self.metadata = metadata
        encoding = response.compressor
        deframer.takesCompressed = encoding != nil
        guard call.method.kind.streamsResponses, let head else { return }
        self.head = nil
        head.resume(returning: ClientResponse(metadata: metadata, body: .stream(openInbound())))
    }

    private func openInbound() -> any ResponseSource {
        let inbound = InboundMessages(
            decompression, askForCredit: { [weak self] in self?.askForCredit() },
            abandon: { [weak self] in self?.abandon() }, spoiled: { [weak self] in self?.end($0) })
        self.inbound = inbound
        return ClientResponseSource(self, inbound)
    }

    /// Reads the response's compressed messages, from its head on.
    var decompression: Decompression { Decompression(compressors, encoding, limit: limit) }

    private func askForCredit() { loop.run { self.returnCredit() } }

    private func returnCredit() {
        guard let connection, let inbound else { return }
        connection.session?.consume(inbound.takeCredit(), of: self)
        connection.touch()
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        var rest = bytes
        do throws(RPCError) {
            while let message = try deframer.next(&rest) { try receive(message) }
        } catch {
            return refuse(error.status)
        }
        connection?.session?.consume(inbound?.arrived(bytes.count) ?? bytes.count, of: self)
    }

    private func receive(_ message: MessageBytes) throws(RPCError) {
        if let inbound { return inbound.push(message) }
        guard self.message == nil else {
            throw RPCError(.unimplemented, "two messages in answer to \(call.method.path), which gives one")
        }
        self.message = message
    }

    override func receiveEnd() {
        guard !isOver else { return }
        receiveStatus(ResponseHead.missingStatus, Metadata())
    }

    private func receiveStatus(_ status: Status, _ trailers: Metadata) {
        // The server ended first: what is left of the request is not wanted (gRPC over HTTP/2, early trailers).
        // Of two resets the first one counts.
        if !requestEnded { reset(HTTP2ErrorCode.noError) }
        guard status.isOK else { return fail(RPCError(status, metadata: trailers)) }
        guard !deframer.isInsideMessage else {
            return fail(RPCError(.internal, "the response ended inside a message"))
        }
        succeed(trailers)
    }

    // The answer is not one: stop it and end the call with a status of our own.
    private func refuse(_ status: Status) {
        reset(HTTP2ErrorCode.cancel)
        fail(RPCError(status))
    }

    override func closed(code: UInt32) {
        let connection = connection
        self.connection = nil
        connection?.lastCall = loop.now
        guard !isOver else { return }
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

    private func succeed(_ trailers: Metadata) {
        if call.method.kind.streamsResponses {
            let source = inbound == nil ? openInbound() : nil
            finish(nil, trailers)
            inbound?.finish()
            if let source { resumeHead(.success(ClientResponse(metadata: metadata, body: .stream(source)))) }
        } else if let message {
            finish(nil, trailers)
            resumeHead(.success(ClientResponse(metadata: metadata, body: .one(message, trailers: trailers))))
        } else {
            fail(RPCError(.unimplemented, "no message in answer to \(call.method.path), which gives one"))
        }
    }

    /// Ends the call with an error. Loop only.
    func fail(_ error: RPCError) {
        guard !isOver else { return }
        let error = error.with(peer: call.endpoint?.endpoint)
        finish(error, error.metadata)
        inbound?.fail(error)
        resumeHead(.failure(error))
    }

    private func finish(_ error: RPCError?, _ trailers: Metadata) {
        isOver = true
        loop.cancel(self)
        pump?.cancel()
        pump = nil
        outbound.fail(error ?? RPCError(.cancelled, "the call is over"))
        let hooks = ending.withLock { ending in
            ending.isOver = true
            ending.error = error
            ending.trailers = trailers
            defer { ending.hooks = [] }
            return ending.hooks
        }
        for hook in hooks { hook(error) }
    }

    private func resumeHead(_ result: Result<ClientResponse, any Error>) {
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

/// The reader's hold on a streamed response: when it is released, the call is cancelled.
final class ClientResponseSource: ResponseSource {
    private let stream: ClientStream
    private let inbound: InboundMessages

    init(_ stream: ClientStream, _ inbound: InboundMessages) {
        self.stream = stream
        self.inbound = inbound
    }

    deinit { stream.abandon() }

    var trailers: Metadata { stream.trailers }
    func next() async throws -> MessageBytes? { try await inbound.next() }
    func cancel() { stream.abandon() }
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { stream.onEnd(action) }
}
