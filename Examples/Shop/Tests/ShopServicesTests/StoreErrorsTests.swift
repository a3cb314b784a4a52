// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopStore
import Synchronization
import Testing

@testable import ShopServices

@Suite struct StoreErrorsTests {
    /// A service whose one method fails with a given error.
    struct Failing: Service {
        static let method = Method<BytesCodec, BytesCodec>(service: "test.Failing", name: "Fail", kind: .unary)
        let error: StoreError
        var routes: [Route] { [.unary(Self.method) { _, _ in throw error }] }
    }

    func answer(to error: StoreError, report: @escaping @Sendable (String) -> Void = { _ in }) async throws -> RPCError
    {
        let network = InMemoryNetwork()
        let running = try network.start(
            try Server([Failing(error: error)], interceptors: [StoreErrors(report: report)]), as: "failing")
        defer { running.stopNow() }
        let channel = Channel(
            "failing", interceptors: [PinnedEndpoint(Endpoint(.memory("failing")))], transport: network.transport())
        do throws(RPCError) {
            _ = try await channel.unary(Failing.method, MessageBytes([]))
        } catch {
            return error
        }
        throw RPCError(.ok, "the call succeeded")
    }

    @Test(arguments: [
        (StoreError.invalid("a rule"), Status.Code.invalidArgument), (.usernameTaken, .alreadyExists),
        (.keyReused, .failedPrecondition), (.wrongCredentials, .unauthenticated), (.noSuchOrder, .notFound),
        (.busy, .unavailable),
    ])
    func `a client learns why it was refused`(error: StoreError, code: Status.Code) async throws {
        #expect(try await answer(to: error).status == Status(code, "\(error)"))
    }

    @Test(arguments: [StoreError.failed("disk full"), .damaged("row 7"), .newerSchema(found: 2, known: 1)])
    func `what only the operator can mend is not told to clients`(error: StoreError) async throws {
        let told = Mutex<[String]>([])
        let answer = try await answer(to: error) { line in told.withLock { $0.append(line) } }
        #expect(answer.status == Status(.internal, "the service's storage failed"))
        #expect(told.withLock { $0 } == ["/test.Failing/Fail: \(error)"])
    }
}
