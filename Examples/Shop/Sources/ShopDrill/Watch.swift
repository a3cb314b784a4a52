// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos

/// Follows an order to its last state: a stream that was cut is gone on with where it had been.
struct Watch: Sendable {
    private let id: Int64
    private let orders: OrderService.Client
    private let ledger: Ledger

    // Not each of them can be the instance that was killed.
    private static let streams = 10

    init(_ id: Int64, _ orders: OrderService.Client, _ ledger: Ledger) {
        self.id = id
        self.orders = orders
        self.ledger = ledger
    }

    /// Counts as one call, however many streams it takes.
    func follow() async {
        let transcript = await ledger.counting("WatchOrder") { try await told() }
        ledger.found(transcript?.findings ?? [])
    }

    private func told() async throws(RPCError) -> WatchTranscript {
        var transcript = WatchTranscript(order: "order \(id)", finalSequence: OrderState.delivered.rawValue)
        for _ in 1...Self.streams {
            let updates = try await begin(after: transcript)
            do throws(RPCError) {
                while let update = try await updates.next() { transcript.told(update.sequence) }
                return transcript
            } catch {
                guard error.code == .unavailable else { throw error }
                ledger.resumed()
            }
        }
        throw RPCError(.unavailable, "the watch of order \(id) was cut \(Self.streams) times")
    }

    private func begin(
        after transcript: WatchTranscript
    ) async throws(RPCError) -> ResponseStream<ProtobufCodec<OrderUpdate>> {
        try await orders.watchOrder(WatchOrderRequest(orderId: id, afterStateSequence: transcript.lastSequence))
    }
}
