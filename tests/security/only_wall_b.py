"""Superset's settings with wall A taken down: everybody may do everything in Superset, and no rule limits rows."""

from superset.security import SupersetSecurityManager

from superset_config.superset_config import *  # noqa: F403  # settings are read by their names


class NoWall(SupersetSecurityManager):
    """Lets everybody who is logged in do everything."""

    def can_access(self, permission_name, view_name):
        """Everybody may."""
        from flask import g

        return g.user.is_authenticated

    def has_access(self, permission_name, view_name):
        """Everybody may."""
        return self.can_access(permission_name, view_name)

    def is_item_public(self, permission_name, view_name):
        """Nothing is public."""
        return permission_name == "can_language_pack"

    def is_admin(self):
        """Everybody is."""
        from flask import g

        return g.user.is_authenticated

    def get_rls_filters(self, table):
        """No rule for rows."""
        return []

    def raise_for_access(self, *args, **kwargs):
        """Nothing is refused."""


CUSTOM_SECURITY_MANAGER = NoWall
FEATURE_FLAGS = {
    **FEATURE_FLAGS,  # noqa: F405  # from the settings above
    "ALLOW_ADHOC_SUBQUERY": True,
    "ENABLE_TEMPLATE_PROCESSING": True,
    "EMBEDDED_SUPERSET": True,
}
