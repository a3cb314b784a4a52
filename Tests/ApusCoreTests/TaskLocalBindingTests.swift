// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@Suite struct TaskLocalBindingTests {
    @TaskLocal private static var value = 0

    private struct Refusal: Error {}

    private func isolation(_ isolation: isolated (any Actor)? = #isolation) -> (any Actor)? { isolation }

    @MainActor @Test func `a value is bound on the caller's actor, and no longer than the operation runs`() async throws
    {
        let (value, isOnMain) = await Self.$value.binding(7) {
            await Task.yield()
            return (Self.value, isolation() === MainActor.shared)
        }
        #expect(value == 7)
        #expect(isOnMain)
        #expect(Self.value == 0)
    }

    @MainActor @Test func `an error passes, and the value is gone`() async {
        await #expect(throws: Refusal.self) {
            try await Self.$value.binding(7) { throw Refusal() }
        }
        #expect(Self.value == 0)
    }

    @concurrent @Test func `without an actor there is none inside either, and values nest`() async {
        let values = await Self.$value.binding(1) {
            let outer = (Self.value, isolation() == nil)
            let inner = await Self.$value.binding(2) { Self.value }
            return [outer.0, inner, Self.value, outer.1 ? 1 : 0]
        }
        #expect(values == [1, 2, 1, 1])
    }
}
