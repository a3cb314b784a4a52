// SPDX-License-Identifier: Apache-2.0

extension Ledger {
    /// Makes a call and writes down how it ended.
    ///
    /// - Returns: the answer; nil when the call failed.
    func counting<Answer>(_ what: String, _ call: () async throws -> Answer) async -> Answer? {
        do {
            let answer = try await call()
            succeeded()
            return answer
        } catch {
            failed("\(what): \(error)")
            return nil
        }
    }

    /// The same for a plain thread.
    func countingBlocking<Answer>(_ what: String, _ call: () throws -> Answer) -> Answer? {
        do {
            let answer = try call()
            succeeded()
            return answer
        } catch {
            failed("\(what): \(error)")
            return nil
        }
    }

    /// Writes a finding down when an answer is not as it must be.
    func require(_ condition: Bool, _ finding: String) {
        if !condition { found([finding]) }
    }
}
