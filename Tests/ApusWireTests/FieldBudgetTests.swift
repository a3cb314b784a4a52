// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@Suite struct FieldBudgetTests {
    @Test func `a list as large as the limit fits, one byte more does not`() {
        var exact = FieldBudget(limit: 100)
        #expect(exact.spend(name: 18, value: 50) == .fits)
        var over = FieldBudget(limit: 100)
        #expect(over.spend(name: 18, value: 51) == .exceeded)
        #expect(over.spend(name: 0, value: 0) == .exceeded)
    }

    @Test func `empty fields cost 32 bytes each`() {
        var budget = FieldBudget(limit: 96)
        for _ in 0..<3 { #expect(budget.spend(name: 0, value: 0) == .fits) }
        #expect(budget.spend(name: 0, value: 0) == .exceeded)
    }

    @Test func `a hundred and twenty-nine fields are too many, a thousand and one abusive`() {
        var budget = FieldBudget(limit: 1 << 30)
        for number in 1...1002 {
            let verdict = budget.spend(name: 1, value: 1)
            #expect(verdict == (number <= 128 ? .fits : number <= 1000 ? .exceeded : .abusive))
        }
    }

    @Test func `sixty-four kibibytes are abusive unless the limit is generous`() {
        var small = FieldBudget(limit: 1024)
        #expect(small.spend(name: 0, value: 65_504) == .exceeded)
        #expect(small.spend(name: 0, value: 0) == .abusive)
        var large = FieldBudget(limit: 1 << 20)
        #expect(large.spend(name: 0, value: 1 << 20) == .exceeded)
        #expect(large.spend(name: 0, value: 4 << 20) == .abusive)
    }
}
