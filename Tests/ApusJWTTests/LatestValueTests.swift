// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusJWT

struct LatestValueTests {
    /// A replacement that has begun, and is ready when the test says so.
    private struct Replacement {
        private let ending: AsyncStream<Result<String, RPCError>>.Continuation
        private let task: Task<Void, any Error>

        init(of latest: LatestValue<String>) async {
            let (endings, ending) = AsyncStream<Result<String, RPCError>>.makeStream()
            let (beginnings, beginning) = AsyncStream<Void>.makeStream()
            self.ending = ending
            task = Task {
                try await latest.replace { () async throws(RPCError) in
                    beginning.finish()
                    for await result in endings { return try result.get() }
                    throw RPCError(.cancelled, "the test has ended")
                }
            }
            for await _ in beginnings {}
        }

        func end(_ result: Result<String, RPCError>) async throws {
            ending.yield(result)
            try await task.value
        }
    }

    /// Every order in which three may end.
    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func `of replacements at the same time the one begun last stays`(order: [Int]) async throws {
        let latest = LatestValue("old")
        var replacements: [Replacement] = []
        for _ in 0..<3 { replacements.append(await Replacement(of: latest)) }
        var newest = -1
        for number in order {
            try await replacements[number].end(.success("\(number)"))
            newest = max(newest, number)
            #expect(latest.value == "\(newest)")
        }
        try await Replacement(of: latest).end(.success("next"))
        #expect(latest.value == "next")
    }

    @Test func `a replacement that fails takes no other's place`() async throws {
        let latest = LatestValue("old")
        let (first, second) = (await Replacement(of: latest), await Replacement(of: latest))
        let error = await #expect(throws: RPCError.self) {
            try await second.end(.failure(RPCError(.invalidArgument, "no keys")))
        }
        #expect(error?.code == .invalidArgument && latest.value == "old")
        try await first.end(.success("first"))
        #expect(latest.value == "first")
    }
}
