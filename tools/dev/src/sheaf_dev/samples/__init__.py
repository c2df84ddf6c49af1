"""Sample documents, made by this package's own code, with what must come out of each."""

from sheaf_dev.samples.broken import damaged_payslip, locked_payslip
from sheaf_dev.samples.east_asian import chinese_letter, japanese_letter
from sheaf_dev.samples.forms import accident_report
from sheaf_dev.samples.invoices import builders_invoice
from sheaf_dev.samples.letters import claim_decision, policy_changes
from sheaf_dev.samples.mails import mail_with_invoice
from sheaf_dev.samples.marked_texts import claims_page, desk_handbook, keys_receipt
from sheaf_dev.samples.newsletters import members_newsletter
from sheaf_dev.samples.office import open_notice, repair_costs, repair_letter, storm_briefing
from sheaf_dev.samples.plain_texts import (
    committee_minutes,
    memo_in_utf16,
    notices_in_many_scripts,
    payments_csv,
)
from sheaf_dev.samples.reports import annual_report
from sheaf_dev.samples.rosters import storm_roster
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.scanned import fax_of_two_pages, photographed_letter, scanned_report
from sheaf_dev.samples.statements import account_statement

__all__ = ["Sample", "demo_samples"]


def demo_samples() -> tuple[Sample, ...]:
    """Every sample, made anew with the same bytes each time, in well under a second."""
    return (
        claim_decision(),
        policy_changes(),
        builders_invoice(),
        accident_report(),
        account_statement(),
        annual_report(),
        members_newsletter(),
        storm_roster(),
        japanese_letter(),
        chinese_letter(),
        notices_in_many_scripts(),
        memo_in_utf16(),
        committee_minutes(),
        payments_csv(),
        repair_letter(),
        repair_costs(),
        storm_briefing(),
        open_notice(),
        claims_page(),
        desk_handbook(),
        keys_receipt(),
        mail_with_invoice(),
        photographed_letter(),
        scanned_report(),
        fax_of_two_pages(),
        locked_payslip(),
        damaged_payslip(),
    )
