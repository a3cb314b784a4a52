// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// One call on a server's connection: its request half, its response half, and the task of its handler.
///
/// Sendable: the responder's methods may be called from anywhere and touch only `outbound` and `notes`, which are safe
/// from any thread, and what stands since before the handler was started; everything else is confined to the
/// connection's loop.
final class ServerStream: HTTP2Stream, TimerEntry, @unchecked Sendable {
    typealias End = OutboundHalf.End

    /// Where it came; the stream may be closed, and the connection, while the handler still runs.
    let connection: ServerConnection
    private(set) var isOpen = true
    // The connection's. Unretained: a count up and down for every header field is a fiftieth of a call.
    private let tables: Unmanaged<RequestHead.Tables>
    // Unchecked: one thread, and none of their methods calls back.
    @exclusivity(unchecked) private(set) var head: RequestHead
    @exclusivity(unchecked) private var deframer: MessageDeframer
    var entry: Router.Entry?
    var deadline = CallDeadline.none
    // Set before the handler is started.
    private(set) var record: CallRecord?
    // Whether somebody else tells the observer of the call's end, or has told it.
    var isTold = false
    @exclusivity(unchecked) var request: MessageBytes?
    var inbound: InboundMessages?
    var isReset = false
    private(set) var requestEnded = false
    var headSent = false
    // The answer to what is no gRPC call, and what is left of its text.
    var refusal: HTTPRefusal?
    var refusedBytes = 0
    var refusalText: ArraySlice<UInt8> = []
    var endSent = false
    private var trailersSubmitted = false
    var handler = HandlerTask.none
    // The request on its way to the handler's task, which takes it.
    @exclusivity(unchecked) var handed: MessageBytes?
    let outbound: OutboundHalf
    let notes = ResponseNotes()
    // Bytes of messages that are not complete, and of one that waits for its handler.
    @exclusivity(unchecked) var gathered = 0
    @exclusivity(unchecked) var gathering: BufferAccount
    @exclusivity(unchecked) var timer = TimerPosition()

    init(_ connection: ServerConnection) {
        self.connection = connection
        tables = Unmanaged.passUnretained(connection.tables)
        let budget = connection.options.bufferBudget
        outbound = OutboundHalf(budget: budget)
        gathering = BufferAccount(budget, growsByProgress: true)
        head = RequestHead(limit: connection.options.maximumMetadataBytes)
        deframer = MessageDeframer(limit: connection.options.maximumRequestBytes)
    }

    var loop: any EventLoop { connection.loop }
    var compressors: Compressors { connection.options.compressors }

    // MARK: The request

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard entry == nil, isOpen else { return }
        tables._withUnsafeGuaranteedRef { head.receive(name: name, value: value, $0) }
    }

    override func receiveFieldsEnd(endStream: Bool) {
        guard isOpen else { return }
        if endStream { requestEnded = true }
        // Trailers of a request: gRPC has none, their end is all that counts.
        if entry != nil || isReset || refusal != nil {
            if endStream { finishRequest() }
            return
        }
        switch head.verdict() {
        case .start(let index): start(tables._withUnsafeGuaranteedRef { $0.router[index] })
        case .reject(let status): refuse(nil, status)
        case .rejectHTTP(let refusal): reject(refusal)
        case .terminate: connection.terminate(HTTP2ErrorCode.enhanceYourCalm)
        }
    }

    private func start(_ entry: Router.Entry) {
        self.entry = entry
        if let watch = connection.server.watch { record = CallRecord(watch) }
        if let timeout = head.timeout {
            guard timeout > 0 else { return refuse(entry.route.method, Self.deadlinePassed) }
            deadline = CallDeadline(at: loop.now.advanced(by: .nanoseconds(timeout)))
            loop.schedule(self, at: deadline.instant)
        }
        if connection.server.admits, let refusal = refusal(entry) {
            return refuse(entry.route.method, refusal.status, refusal.metadata)
        }
        deframer.takesCompressed = head.compressor != nil
        if let compression = connection.options.compression {
            compressResponses(with: compression, minimum: connection.options.minimumCompressedBytes)
        }
        if entry.route.method.kind.streamsRequests {
            inbound = InboundMessages(
                decompression, budget: connection.options.bufferBudget,
                askForCredit: { [weak self] in self?.askForCredit() }, abandon: {},
                spoiled: { [weak self] in self?.requestSpoiled($0) })
            connection.startAfterBatch(self)
        }
        if requestEnded { finishRequest() }
    }

    // Before there is a handler.
    private func refuse(_ method: MethodDescriptor?, _ status: Status, _ metadata: Metadata = Metadata()) {
        if isOpen, let observer = connection.server.observer {
            observer.serverEvent(.callRefused(method: method, peer: connection.origin.peer, status: status))
        }
        isTold = true
        end(status, metadata)
    }

    private func refusal(_ entry: Router.Entry) -> RPCError? {
        do throws(RPCError) {
            try connection.server.admit(
                ServerCallHead(
                    method: entry.route.method, metadata: head.metadata, peer: connection.origin.peer,
                    peerIdentity: connection.origin.identity))
            return nil
        } catch {
            return error
        }
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) {
        guard !isReset, isOpen, entry != nil else { return countRefused(bytes.count) }
        var rest = bytes
        gathered += bytes.count
        do throws(RPCError) {
            while let message = try deframer.next(&rest) {
                record?.messageReceived(message.count)
                if let inbound {
                    gathered = rest.count
                    inbound.push(message)
                } else if request == nil {
                    request = message
                } else {
                    throw RPCError(.unimplemented, "two messages for \(method.path), which takes one")
                }
            }
        } catch {
            return end(error.status)
        }
        gathering.hold(gathered)
        // A message that nobody waits for yet holds its bytes back; one under assembly must be able to complete.
        consume(inbound?.arrived(bytes.count) ?? bytes.count)
    }

    override func receiveEnd() {
        requestEnded = true
        finishRequest()
    }

    private func finishRequest() {
        guard !isReset, entry != nil else { return sendRefusal() }
        guard !deframer.isInsideMessage else { return end(Status(.internal, "the request ended inside a message")) }
        if let inbound { return inbound.finish() }
        guard request != nil else {
            return end(Status(.unimplemented, "no message for \(method.path), which takes one"))
        }
        connection.startAfterBatch(self)
    }

    var decompression: Decompression {
        Decompression(compressors, head.compressor, limit: connection.options.maximumRequestBytes)
    }

    // Whatever the handler makes of it: the request is broken, and so is the call.
    private func requestSpoiled(_ error: RPCError) {
        loop.run { if !self.isReset, !self.endSent { self.end(error.status) } }
    }

    private func askForCredit() { loop.run { self.returnCredit() } }

    private func returnCredit() {
        guard isOpen, let inbound else { return }
        consume(inbound.takeCredit())
        connection.touch()
    }

    // MARK: The response

    func respond() {
        guard isOpen, let session = connection.session else { return }
        connection.touch()
        guard !headSent else { return session.resumeData(self) }
        headSent = true
        let head = notes.headLeaves()
        let isPlain = head.map { !$0.isWanted && $0.metadata.isEmpty } ?? true
        if let end = outbound.endWithoutMessages(), isPlain || !end.isOK && head?.isWanted != true {
            let block = ResponseBlocks.ending(ResponseBlocks.head, end, compressors)
            return session.submitResponse(block, stream: self, end: true)
        }
        guard let head else { return session.submitResponse(ResponseBlocks.head, stream: self) }
        do throws(RPCError) {
            session.submitResponse(try ResponseBlocks.starting(head, compressors), stream: self)
        } catch {
            headSent = false
            notes.clear()
            end(error.status)
        }
    }

    override func nextData(limit: Int) -> DataAnswer {
        if refusal != nil { return nextRefusalData(limit: limit) }
        if trailersSubmitted { return .later }
        switch outbound.available(limit) {
        case .bytes(let count): return .bytes(count)
        case .nothing: return .later
        case .bytesAndEnd(let count):
            trailersSubmitted = true
            return .bytesAndTrailers(count)
        }
    }

    override func trailers() -> HeaderBlock {
        guard let end = outbound.ending, !end.isPlain else { return ResponseBlocks.okTrailers }
        return ResponseBlocks.ending(HeaderBlock(), end, compressors)
    }

    override func takeData(_ count: Int, into output: OutputBuffer) {
        if refusal != nil { return takeRefusal(count, into: output) }
        outbound.take(count, into: output)
    }

    override func sentHeaders(endStream: Bool) {
        guard endStream else { return }
        endSent = true
        cancelTimer()
        // gRPC over HTTP/2: a server that ends first tells the client to stop sending, without an error.
        if !requestEnded, isOpen { connection.session?.reset(self, code: HTTP2ErrorCode.noError) }
    }

    // Ends the call for a reason of the server's own, whatever the handler does.
    func end(_ status: Status, _ metadata: Metadata = Metadata()) {
        isReset = true
        record?.rule(status)
        tellUnhandled(RPCError(status))
        let error = RPCError(.cancelled, "the call is over: \(status)")
        cancelHandler(error)
        let end = End(status: status, metadata: metadata)
        outbound.override(end, writersGet: error)
        inbound?.fail(error)
        forgetRequest()
        deframer = MessageDeframer(limit: 0)
        guard headSent, !trailersSubmitted, isOpen, let session = connection.session else { return respond() }
        // Not behind data that the client's window holds back: it may never take any.
        trailersSubmitted = true
        session.submitTrailers(ResponseBlocks.ending(HeaderBlock(), end, compressors), stream: self)
        connection.touch()
    }

    // First of all: a handler on another thread that hears of the end finds its task cancelled.
    private func cancelHandler(_ error: RPCError) {
        guard handler.isRunning else { return }
        outbound.willFail(error)
        inbound?.willFail(error)
        handler.cancel()
    }

    // Most calls have no deadline, and then their loop has nothing to look for.
    private func cancelTimer() { if timer.isScheduled { loop.cancel(self) } }

    /// The deadline.
    func timerFired() {
        guard !endSent else { return }
        end(Self.deadlinePassed)
    }

    private static var deadlinePassed: Status {
        Status(.deadlineExceeded, "the deadline passed while the server worked")
    }

    override func closed(code: UInt32) {
        cancelTimer()
        connection.lastCall = loop.now
        connection.touch()
        tellUnhandled(RPCError(.cancelled, "the client is gone (\(StatusMapping.name(reset: code)))"))
        isOpen = false
        inbound?.close()
        gathering.close()
        if deframer.isInsideMessage { deframer = MessageDeframer(limit: 0) }
        guard !endSent || code != HTTP2ErrorCode.noError else { return }
        connection.streamsFailed += 1
        isReset = true
        if !endSent { record?.rule(Status(.cancelled, "the client is gone")) }
        let error = RPCError(.cancelled, "the client is gone (\(StatusMapping.name(reset: code)))")
        cancelHandler(error)
        outbound.fail(error)
        inbound?.fail(error)
    }
}
