"""E-mail as a Prefect notification block: Prefect's own blocks know Slack and webhooks, and mail through one company.

Registered with every process that has tunegate, a team's server too, by its entry point `prefect.collections`.
"""

from prefect.blocks.notifications import AppriseNotificationBlock


class Mail(AppriseNotificationBlock):
    """`url` in Apprise's form: mailtos://user:password@host:port?from=...&to=...; mailto:// without TLS."""

    _block_type_name = "E-mail (tunegate)"
    _block_type_slug = "tunegate-mail"
