// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import CMallocInfo
    import Testing

    /// Faults leave no memory behind. In processes of their own, so that the memory is the calls' alone.
    @Suite(.serialized) struct FaultLeakTests {
        @Test(arguments: Fault.allCases)
        func `calls with a fault leave no memory behind`(_ fault: Fault) async {
            await #expect(processExitsWith: .success) { [fault = fault as Fault] in
                forgetThrownErrors()
                let cases = CallKind.allCases.flatMap { FaultCase.all($0, fault) }
                let growth = try await script {
                    _ = try cases.map { try FaultRun.problems($0) }
                    return try (0..<4).map { round in
                        let before = Int(apus_malloc_in_use())
                        for test in cases {
                            guard try FaultRun.problems(test).isEmpty else { throw RawSocket.Failure(what: "\(test)") }
                        }
                        return Int(apus_malloc_in_use()) - before
                    }
                }
                // malloc's smallest piece is 32 bytes: what each call leaves makes every round grow by more.
                #expect(growth.min() ?? .max < 16 * cases.count, "\(cases.count) calls left \(growth)")
            }
        }
    }
#endif
