// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// One end of an HTTP/2 connection that follows a test's script to the byte. Used on one script's thread.
final class RawPeer: @unchecked Sendable {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let socket: RawSocket
    private let decoder = RawHeaderDecoder()
    // What this side may still send, if it counts.
    private var credit: [UInt32: Int] = [:]
    private var stash: [RawFrame] = []
    // RFC 9113, section 6.9.2, and what our servers' SETTINGS say about streams.
    private static func initialWindow(_ stream: UInt32) -> Int { stream == 0 ? 65_535 : 1 << 20 }

    init(_ socket: RawSocket) { self.socket = socket }

    /// A client that has sent its preface and SETTINGS.
    static func client(of address: Endpoint.Address) throws -> RawPeer {
        let peer = RawPeer(try RawSocket(connectingTo: address))
        try peer.socket.send(preface + RawFrame.settings.bytes)
        return peer
    }

    /// A server that has accepted one connection and sent its SETTINGS.
    static func server(on listener: RawListener) throws -> RawPeer {
        let peer = RawPeer(try listener.accept())
        guard try peer.socket.receive(preface.count) == preface else { throw RawSocket.Failure(what: "no preface") }
        try peer.send(.settings)
        return peer
    }

    func send(_ frames: RawFrame...) throws { try send(frames) }
    func send(_ frames: [RawFrame]) throws { try socket.send(frames.flatMap(\.bytes)) }

    /// The next frame; nil when the connection has ended. Header blocks come as they are on the wire.
    func next() throws -> RawFrame? {
        guard let head = try socket.receive(9) else { return nil }
        let size = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        guard let payload = size == 0 ? [] : try socket.receive(size) else { return nil }
        return RawFrame(type: head[3], flags: head[4], stream: stream, payload: payload)
    }

    /// The next frame that is none of the connection's own housekeeping.
    func nextOfStreams() throws -> RawFrame? {
        while let frame = try stash.isEmpty ? nextOnWire() : stash.removeFirst() {
            if frame.kind != .windowUpdate { return frame }
        }
        return nil
    }

    /// Sends DATA as the other side's windows allow; what comes meanwhile is kept. Stops when the stream is reset.
    func sendInWindow(_ frames: [RawFrame]) throws {
        for frame in frames {
            while [0, frame.stream].contains(where: { credit[$0, default: Self.initialWindow($0)] < 16_384 }) {
                guard let other = try nextOnWire() else { throw RawSocket.Failure(what: "closed within a request") }
                stash.append(other)
                if other.kind == .rstStream, other.stream == frame.stream { return }
            }
            for id in [0, frame.stream] { credit[id, default: Self.initialWindow(id)] -= frame.payload.count }
            try send(frame)
        }
    }

    private func nextOnWire() throws -> RawFrame? {
        while let frame = try next() {
            switch frame.kind {
            case .settings where frame.flags & RawFrame.ack == 0: try send(.settingsAck)
            case .ping where frame.flags & RawFrame.ack == 0:
                try send(RawFrame(.ping, flags: RawFrame.ack, frame.payload))
            case .windowUpdate:
                credit[frame.stream, default: Self.initialWindow(frame.stream)] += Int(frame.number())
                return frame
            case .settings, .ping: break
            default: return frame
            }
        }
        return nil
    }

    /// Reads a whole request and answers with its stream.
    func request() throws -> UInt32 {
        while let frame = try nextOfStreams() {
            if frame.kind == .headers { _ = decoder.decode(frame.payload) }
            if frame.endsStream { return frame.stream }
        }
        throw RawSocket.Failure(what: "the client ended before its request did")
    }

    /// How the other side answered one stream.
    struct Answer: Sendable, CustomStringConvertible {
        var blocks: [[String: String]] = []
        var data: [UInt8] = []
        var reset: UInt32?
        var goAway: UInt32?
        var hasEnded = false

        subscript(name: String) -> String? { blocks.last?[name] }

        /// gRPC's status, HTTP's, or what became of the stream.
        var description: String {
            if let goAway { return "GOAWAY \(StatusMapping.name(reset: goAway))" }
            if let number = self["grpc-status"].flatMap({ Int($0) }), let code = Status.Code(rawValue: number) {
                return "\(Status(code, self["grpc-message"] ?? ""))"
            }
            if let reset { return "RST_STREAM \(StatusMapping.name(reset: reset))" }
            return hasEnded ? "HTTP \(self[":status"] ?? "without a status")" : "closed"
        }
    }

    /// Reads until the stream or the connection has ended.
    func answer(to stream: UInt32) throws -> Answer {
        var answer = Answer()
        while !answer.hasEnded, answer.reset == nil, let frame = try nextOfStreams() {
            switch frame.kind {
            case .goAway: answer.goAway = frame.number(at: 4)
            case .headers:
                // Every block counts for the decoder's table.
                let fields = decoder.decode(frame.payload)
                if frame.stream == stream { answer.blocks.append(fields) }
            case .data where frame.stream == stream: answer.data += frame.payload
            case .rstStream where frame.stream == stream: answer.reset = frame.number()
            default: continue
            }
            if frame.stream == stream, frame.endsStream { answer.hasEnded = true }
        }
        return answer
    }

    /// Reads until any stream has ended with trailers, and returns those.
    func firstTrailers() throws -> [String: String] {
        while let frame = try nextOfStreams() {
            guard frame.kind == .headers else { continue }
            let fields = decoder.decode(frame.payload)
            if frame.endsStream { return fields }
        }
        throw RawSocket.Failure(what: "the connection ended before a stream did")
    }

    /// A message with its prefix.
    static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        [flag] + RawFrame.bigEndian(UInt32(bytes.count)) + bytes
    }
}
