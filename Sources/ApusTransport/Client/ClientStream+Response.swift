// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// The response half of a call: header blocks and messages on their way in, and what they say of the call's end.
/// Loop only.
extension ClientStream {
    // A body that does not come may not keep its call waiting.
    private static var foreignBodyPatience: Duration { .seconds(1) }

    /// A header block is complete.
    func receiveBlock(endStream: Bool) {
        switch response.receiveEnd(endStream: endStream) {
        case .informational: break
        case .head(let metadata): receiveHead(metadata)
        case .end(let status, let trailers):
            // A server that goes on after the status has to be stopped.
            if !endStream { reset(HTTP2ErrorCode.cancel) }
            receiveStatus(status, trailers)
        case .broken(let status): refuse(status)
        case .foreign(let status):
            foreignBody = ForeignBody(status)
            let patience = loop.now.advanced(by: Self.foreignBodyPatience)
            loop.schedule(self, at: min(patience, call.deadline.instant))
        case .abusive:
            connection?.session?.terminate(code: HTTP2ErrorCode.enhanceYourCalm)
            refuse(Status(.resourceExhausted, "the server's headers are beyond all limits"))
        }
    }

    private func receiveHead(_ metadata: Metadata) {
        isAnswered = true
        self.metadata = metadata
        encoding = response.compressor
        deframer.takesCompressed = encoding != nil
        guard call.method.kind.streamsResponses else { return }
        resumeHead(.success(ClientResponse(metadata: metadata, body: .stream(openInbound()))))
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
        consume(inbound.takeCredit())
        connection.touch()
    }

    /// A piece of DATA.
    func receiveMessages(_ bytes: UnsafeRawBufferPointer) {
        if foreignBody != nil { return receiveForeignBody(bytes) }
        var rest = bytes
        do throws(RPCError) {
            while let message = try deframer.next(&rest) { try receive(message) }
        } catch {
            return refuse(error.status)
        }
        consume(inbound?.arrived(bytes.count) ?? bytes.count)
    }

    private func receiveForeignBody(_ bytes: UnsafeRawBufferPointer) {
        if foreignBody?.receive(bytes) == true, let foreignBody { refuse(foreignBody.described) }
    }

    private func receive(_ message: MessageBytes) throws(RPCError) {
        call.record?.messageReceived(message.count)
        if let inbound { return inbound.push(message) }
        guard self.message == nil else {
            throw RPCError(.unimplemented, "two messages in answer to \(call.method.path), which gives one")
        }
        self.message = message
    }

    /// END_STREAM came with DATA.
    func receiveEndOfData() {
        receiveStatus(foreignBody?.described ?? ResponseHead.missingStatus, Metadata())
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

    /// The answer is not one: stops it and ends the call with a status of our own.
    func refuse(_ status: Status) {
        reset(HTTP2ErrorCode.cancel)
        fail(RPCError(status))
    }
}
