// SPDX-License-Identifier: Apache-2.0

import Apus

/// What a server may make its asker do and keep: more is a mistake, or a trap.
struct ReflectionAllowance {
    private var questions: Int
    private var bytes: Int

    init(questions: Int = 5_000, bytes: Int = 64 << 20) {
        self.questions = questions
        self.bytes = bytes
    }

    /// Takes a question.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when there were too many.
    mutating func ask() throws(RPCError) {
        guard questions > 0 else {
            throw RPCError(.resourceExhausted, "the server's reflection leads to ever more questions")
        }
        questions -= 1
    }

    /// Takes what came.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when that is too much.
    mutating func take(_ count: Int) throws(RPCError) {
        guard count <= bytes else {
            throw RPCError(.resourceExhausted, "the server's reflection sends more than anybody can want to read")
        }
        bytes -= count
    }
}
