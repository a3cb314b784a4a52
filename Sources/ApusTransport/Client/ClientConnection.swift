// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// A connection of a channel. Confined to its loop.
final class ClientConnection: HTTP2Connection {
    /// Tries that were sent on it and did not end with OK.
    @exclusivity(unchecked) var callsFailed: Int64 = 0
    // Until the connection is closed: it tells the subchannel of its life, even when a pool has dropped that.
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) private var owner: Subchannel?
    @exclusivity(unchecked) private(set) var isDraining = false
    // The highest identifier of a stream, 0 before the first call.
    @exclusivity(unchecked) private var lastStream: Int32 = 0
    // A request's head is put together here: nghttp2 copies what it keeps.
    @exclusivity(unchecked) private var fields = HeaderBlock(fields: 12, bytes: 256)
    @exclusivity(unchecked) private var templates = RequestTemplates()
    private let lastUsableStream: Int32
    /// The `:authority` of calls over TLS; nil without TLS, where calls say their channel's name.
    private let secureAuthority: String?
    /// The `user-agent` of calls; nil for the library's own.
    private let userAgent: [UInt8]?

    init(_ io: any ConnectionIO, loop: any EventLoop, owner: Subchannel, options: TransportOptions) {
        self.owner = owner
        secureAuthority = options.tls?.authority(for: owner.handle.address)
        userAgent = options.userAgent
        lastUsableStream = options.lastUsableStream
        super.init(io, loop: loop)
    }

    /// What the fields of a method's calls are made of; nil when there is no room for one more.
    func template(of method: MethodDescriptor, to target: String, _ stream: ClientStream) -> RequestTemplate? {
        templates.template(of: method, to: target, stream.compressor) {
            var (first, others) = (HeaderBlock(), HeaderBlock())
            writeFirst(method, target, to: &first)
            writeOthers(stream, to: &others)
            return RequestTemplate(method, to: target, stream.compressor, first: first, others: others)
        }
    }

    /// Adds all fields but metadata, without a template.
    func write(_ stream: ClientStream, left: Int64?, to fields: inout HeaderBlock) {
        writeFirst(stream.call.method, stream.call.target, to: &fields)
        if let left { fields.add(unique: RequestFields.timeoutName, TimeoutEncoding.encode(nanoseconds: left)) }
        writeOthers(stream, to: &fields)
    }

    private func writeFirst(_ method: MethodDescriptor, _ target: String, to fields: inout HeaderBlock) {
        RequestFields.writeTarget(
            method, scheme: secureAuthority == nil ? "http" : "https",
            authority: secureAuthority ?? TargetAuthority.name(of: target), to: &fields)
    }

    private func writeOthers(_ stream: ClientStream, to fields: inout HeaderBlock) {
        RequestFields.writeFormat(
            userAgent: userAgent, compression: stream.compressor.map { stream.compressors[$0].compression },
            compressors: stream.compressors, to: &fields)
    }

    /// An empty block, to be given back with ``keep(_:)``.
    func takeFields() -> HeaderBlock {
        var empty = HeaderBlock()
        swap(&empty, &fields)
        return empty
    }

    /// Keeps the memory of a block that was submitted, unless it is much.
    func keep(_ block: inout HeaderBlock) {
        guard block.listSize <= 4096 else { return }
        // Swapped: what two refer to is copied when it is emptied.
        swap(&block, &fields)
        fields.removeAll()
    }

    /// Whether calls may be sent on it at all.
    var acceptsCalls: Bool { hasSettings && !isDraining && session?.acceptsRequests == true }

    /// Whether one more call may be sent on it now.
    var hasRoom: Bool {
        guard acceptsCalls, let session, !isExhausted else { return false }
        return session.streamCount < session.maximumRequests
    }

    /// Whether no call was ever sent on it.
    var isUnused: Bool { lastStream == 0 }

    /// Whether its stream identifiers are used up.
    var isExhausted: Bool { lastStream >= lastUsableStream }

    /// Whether its stream identifiers run out soon, so that it has to be replaced: 1,000 before the end.
    /// Source: RFC 9113, section 5.1.1.
    var isNearItsEnd: Bool { lastStream >= lastUsableStream - min(2000, lastUsableStream / 2) }

    // Those that wait for one of its streams count.
    override var hasCalls: Bool { super.hasCalls || (!isDraining && owner?.hasWaitingCalls == true) }

    /// A call was sent on it.
    func sent(_ stream: HTTP2Stream) {
        lastStream = stream.id
        streamsStarted += 1
        lastCall = loop.now
        touch()
    }

    /// Lets calls in flight finish and closes then.
    override func drain(_ reason: String) {
        guard !isDraining else { return }
        isDraining = true
        owner?.startedDraining(self, reason)
        touch()
    }

    /// The session said that it opens no more streams: out of identifiers, or told to go away.
    func refusesStreams() { drain("no more streams can be opened") }

    /// Changes how long it may be without calls.
    func setIdleTimeout(_ timeout: Duration?) {
        plan.limits.idle = timeout
        life?.setIdle(timeout)
        if hasSettings { checkLife() }
    }

    override func becameReady() { owner?.becameReady(self) }

    override func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {
        let text = debug.isEmpty ? "" : " (\(debug))"
        // gRFC A8 fixes code and text.
        if code == HTTP2ErrorCode.enhanceYourCalm, debug == "too_many_pings" { owner?.tooManyPings() }
        drain("the server sent GOAWAY \(StatusMapping.name(reset: code))\(text)")
    }

    // A TLS server's alert. Source: RFC 8446, section 5.1.
    override func foreignProtocol(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.starts(with: [21, 3]) else { return nil }
        return "the server speaks TLS and this channel does not: set TransportOptions.tls"
    }

    // Streams ended, or the server's limit grew: calls that wait go out with the same flush.
    override func batchEnded() { owner?.sendWaiting() }

    override func flushed() {
        // Streams that we reset end when that was written.
        owner?.sendWaiting()
        guard isDraining, let session, session.streamCount == 0 else { return }
        close("drained")
    }

    override func closed() {
        let owner = owner
        self.owner = nil
        owner?.closed(self, closeReason)
    }
}
